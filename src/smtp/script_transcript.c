#include "script_internal.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base64.h"
#include "raw_text.h"
#include "text.h"

static size_t digits_at(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] >= '0' && p[n] <= '9') {
        n++;
    }
    return n;
}

static size_t blanks_at(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] == ' ') {
        n++;
    }
    return n;
}

/* "12.345" */
static size_t time_at(const char *p, size_t len)
{
    size_t n = digits_at(p, len);
    bool point = n > 0 && n + 4 <= len && p[n] == '.' && digits_at(p + n + 1, 3) == 3;
    return point ? n + 4 : 0;
}

/*
 * "    12   0.471 C: EHLO x", as reports have it, or without its number as --tee writes it. A '!'
 * before the time marks the proof of a verdict.
 */
bool saved_line_read(const char *p, size_t len, struct saved_line *out)
{
    static const char cut[] = " [...]";
    size_t at = blanks_at(p, len);
    size_t n = digits_at(p + at, len - at);
    if (n > 0 && at + n < len && p[at + n] == ' ') {
        at += n + 1; /* the line's number */
    }
    at += blanks_at(p + at, len - at);
    at += at < len && p[at] == '!' ? 1 : 0;
    at += blanks_at(p + at, len - at);
    n = time_at(p + at, len - at);
    if (n == 0 || at + n + 3 > len || p[at + n] != ' ') {
        return false;
    }
    at += n + 1;
    char who = p[at];
    char how = p[at + 1];
    bool talk = (who == 'C' || who == 'c' || who == 'S') && (how == ':' || how == '~');
    bool other = (who == '-' || who == '=') && how == who;
    if ((!talk && !other) || (at + 2 < len && p[at + 2] != ' ')) {
        return false;
    }
    at += at + 2 < len ? 3 : 2;
    *out = (struct saved_line){.dir = who, .text = p + at, .len = len - at};
    size_t mark = sizeof(cut) - 1;
    out->cut = out->len >= mark && memcmp(p + len - mark, cut, mark) == 0;
    return true;
}

static enum status wait_for_reply(struct script_reader *r)
{
    if (r->waiting_first + r->waiting_count == r->waiting_room) {
        size_t room = r->waiting_room == 0 ? 64 : 2 * r->waiting_room;
        size_t *grown = realloc(r->waiting, room * sizeof(*grown));
        if (grown == NULL) {
            return error_set(r->error, ST_NOMEM, 0, _("There is not enough memory."));
        }
        r->waiting = grown;
        r->waiting_room = room;
    }
    r->waiting[r->waiting_first + r->waiting_count++] = r->script->count - 1;
    return ST_OK;
}

/* The oldest step that was not answered yet got this. What nobody asked for answers nothing. */
static void answered(struct script_reader *r, int code)
{
    if (r->waiting_count == 0) {
        return;
    }
    struct script_step *step = &r->script->steps[r->waiting[r->waiting_first++]];
    r->waiting_count--;
    step->expect = code;
    r->in_text = step->verb == VERB_DATA && code / 100 == 3;
    r->in_login = code == 334;
}

static void server_line(struct script_reader *r, const char *p, size_t len)
{
    bool code = len >= 3 && digits_at(p, 3) == 3 && p[0] >= '2' && p[0] <= '5';
    if (code && (len == 3 || p[3] != '-')) {
        answered(r, (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
    }
}

static enum status raw_line(struct script_reader *r, const struct saved_line *line)
{
    struct buf bytes;
    struct error why = {.text = ""};
    buf_init(&bytes, SCRIPT_LINE_MAX);
    enum status st = raw_text_read(line->text, line->len, &bytes, &why);
    st = st == ST_OK
             ? script_add(r, SCRIPT_RAW, VERB_OTHER, buf_str(&bytes), bytes.len, line->number)
             : script_fail(r, line->number, "%s", why.text);
    buf_free(&bytes);
    return st;
}

/* The header of a proxy goes before the conversation; --proxy says it anew. */
static bool is_proxy_header(const struct saved_line *line)
{
    static const char v1[] = "PROXY ";
    static const char v2[] = "\\r\\n\\r\\n\\0\\r\\nQUIT\\n";
    const char *begin = line->dir == 'c' ? v2 : v1;
    size_t n = line->dir == 'c' ? sizeof(v2) - 1 : sizeof(v1) - 1;
    return line->len >= n && memcmp(line->text, begin, n) == 0;
}

static enum status client_line(struct script_reader *r, const struct saved_line *line)
{
    size_t before = r->script->count;
    if (is_proxy_header(line)) {
        return ST_OK;
    }
    if (line->dir == 'c') {
        return raw_line(r, line);
    }
    if (line->cut) {
        return script_fail(r, line->number,
                           _("the line was too long to be saved whole, so it cannot be repeated."));
    }
    enum status st = script_client_line(r, line->text, line->len, line->number);
    if (st != ST_OK || r->script->count == before) {
        return st;
    }
    return r->script->steps[r->script->count - 1].kind != SCRIPT_TEXT ? wait_for_reply(r) : ST_OK;
}

enum status script_saved_line(struct script_reader *r, const struct saved_line *line)
{
    switch (line->dir) {
    case 'C':
    case 'c':
        return client_line(r, line);
    case 'S':
        if (r->octets > 0) {
            return script_check_chunk(r, line->number);
        }
        server_line(r, line->text, line->len);
        return ST_OK;
    case '-':
        /* Only what was left out is noted between the lines of a message. */
        r->script->message_cut = r->script->message_cut || r->in_text;
        return r->octets > 0 ? script_check_chunk(r, line->number) : ST_OK;
    default:
        return ST_OK;
    }
}

static char direction_of(const char *dir, bool raw)
{
    if (strcmp(dir, "C") == 0) {
        return raw ? 'c' : 'C';
    }
    return strcmp(dir, "S") == 0 ? 'S' : strcmp(dir, "tls") == 0 ? '=' : '-';
}

static enum status json_line(struct script_reader *r, const json_t *o, unsigned index)
{
    const json_t *text = json_object_get(o, "text");
    const char *dir = json_string_value(json_object_get(o, "dir"));
    const char *base64 = json_string_value(json_object_get(o, "base64"));
    const json_t *n = json_object_get(o, "n");
    struct saved_line line = {.number = index};
    struct buf bytes;
    if (!json_is_string(text) || dir == NULL) {
        return script_fail(r, index, _("the transcript holds something that is no line."));
    }
    if (json_is_integer(n) && json_integer_value(n) > 0 && json_integer_value(n) <= UINT32_MAX) {
        line.number = (unsigned)json_integer_value(n);
    }
    line.dir = direction_of(dir, json_is_true(json_object_get(o, "raw")));
    line.cut = json_is_true(json_object_get(o, "cut"));
    line.text = json_string_value(text);
    line.len = json_string_length(text);
    buf_init(&bytes, SCRIPT_BYTES_MAX);
    enum status st = ST_OK;
    if (base64 != NULL) {
        st = base64_decode(&bytes, base64, strlen(base64)) == ST_OK
                 ? ST_OK
                 : script_fail(r, line.number, _("this is no base64."));
        line.text = buf_str(&bytes);
        line.len = bytes.len;
    }
    if (st == ST_OK) {
        st = script_saved_line(r, &line);
    }
    buf_free(&bytes);
    return st;
}

enum status script_read_json(struct script_reader *r, const char *p, size_t len)
{
    json_error_t why;
    json_t *root = json_loadb(p, len, JSON_ALLOW_NUL, &why);
    if (root == NULL) {
        /* The library quotes the file, so its words are left out. */
        return script_fail(r, why.line > 0 ? (unsigned)why.line : 1, _("this is no valid JSON."));
    }
    const json_t *transcript = json_object_get(root, "transcript");
    enum status st = json_is_array(transcript)
                         ? ST_OK
                         : script_fail(r, 1, _("there is no transcript in this JSON document."));
    size_t count = json_is_array(transcript) ? json_array_size(transcript) : 0;
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        st = json_line(r, json_array_get(transcript, i), (unsigned)i + 1);
    }
    json_decref(root);
    return st == ST_OK ? script_check_chunk(r, (unsigned)count) : st;
}
