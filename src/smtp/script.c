#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "raw_text.h"
#include "script_internal.h"
#include "text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

enum status script_fail(struct script_reader *r, unsigned line, const char *fmt, ...)
{
    char why[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    return error_set(r->error, ST_INVALID, 0, _("%s, line %u: %s"), r->name, line, why);
}

static enum status no_memory(struct script_reader *r)
{
    return error_set(r->error, ST_NOMEM, 0, _("There is not enough memory."));
}

enum status script_add(struct script_reader *r, enum script_kind kind, enum smtp_verb verb,
                       const char *p, size_t len, unsigned line)
{
    struct script *s = r->script;
    if (len > SCRIPT_LINE_MAX) {
        return script_fail(r, line, _("the line is longer than %d bytes."), SCRIPT_LINE_MAX);
    }
    if (s->count == SCRIPT_STEPS_MAX) {
        return script_fail(r, line, _("there are more than %d lines to send."), SCRIPT_STEPS_MAX);
    }
    /* Room in powers of two. */
    if ((s->count & (s->count + 1)) == 0 || s->steps == NULL) {
        size_t room = s->count == 0 ? 16 : 2 * (s->count + 1);
        struct script_step *grown = realloc(s->steps, room * sizeof(*grown));
        if (grown == NULL) {
            return no_memory(r);
        }
        s->steps = grown;
    }
    char *text = malloc(len + 1);
    if (text == NULL) {
        return no_memory(r);
    }
    if (len > 0) {
        memcpy(text, p, len);
    }
    text[len] = '\0';
    s->steps[s->count++] =
        (struct script_step){.kind = kind, .verb = verb, .text = text, .len = len, .line = line};
    return ST_OK;
}

size_t script_hidden_at(const char *p, size_t len)
{
    static const char mark[] = "<hidden ";
    const char *found = len > 0 ? memmem(p, len, mark, sizeof(mark) - 1) : NULL;
    return found != NULL ? (size_t)(found - p) : len;
}

enum status script_check_chunk(struct script_reader *r, unsigned line)
{
    if (r->octets == 0) {
        return ST_OK;
    }
    return script_fail(r, line, _("%llu octets are missing behind BDAT."),
                       (unsigned long long)r->octets);
}

/* A line of the octets that a BDAT announced. */
static enum status add_octets(struct script_reader *r, const char *p, size_t len, unsigned line)
{
    struct script_step *step = &r->script->steps[r->chunk];
    if (len + 2 > r->octets) {
        return script_fail(r, line, _("BDAT wants %llu octets more, and the line has %zu."),
                           (unsigned long long)r->octets, len + 2);
    }
    enum status st = buf_add(&r->data, p, len);
    if (st == ST_OK) {
        st = buf_add(&r->data, "\r\n", 2);
    }
    if (st != ST_OK) {
        return no_memory(r);
    }
    r->octets -= len + 2;
    if (r->octets == 0) {
        /* The buffer's memory is the step's from now on. */
        step->data = r->data.p;
        step->data_len = r->data.len;
        buf_init(&r->data, SCRIPT_BYTES_MAX);
    }
    return ST_OK;
}

static enum status add_command(struct script_reader *r, const char *p, size_t len, unsigned line)
{
    bool last = false;
    enum smtp_verb verb = smtp_verb_of(p, len);
    bool lone = len > 0 && memchr(p, ' ', len) == NULL && verb == VERB_OTHER;
    size_t seen = script_hidden_at(p, len);
    bool hidden = seen < len;
    bool answer = r->in_login && (lone || len == 0 || (hidden && seen == 0));
    verb = answer ? VERB_AUTH_LINE : verb;
    r->in_login = verb == VERB_AUTH || answer;
    enum status st = script_add(r, hidden ? SCRIPT_HIDDEN : SCRIPT_COMMAND, verb, p, len, line);
    if (st != ST_OK) {
        return st;
    }
    if (verb == VERB_BDAT || verb == VERB_BDAT_LAST) {
        if (!smtp_bdat_size(p, len, &r->octets, &last)) {
            return script_fail(r, line, _("this is no BDAT NUMBER [LAST]."));
        }
        r->chunk = r->script->count - 1;
        if (r->octets == 0) {
            /* Even nothing goes out in the same write. */
            r->script->steps[r->chunk].data = calloc(1, 1);
        }
    }
    return ST_OK;
}

enum status script_client_line(struct script_reader *r, const char *p, size_t len, unsigned line)
{
    if (r->octets > 0) {
        return add_octets(r, p, len, line);
    }
    if (!r->in_text) {
        return add_command(r, p, len, line);
    }
    bool dot = len == 1 && p[0] == '.';
    r->in_text = !dot;
    return script_add(r, dot ? SCRIPT_DOT : SCRIPT_TEXT, dot ? VERB_DOT : VERB_OTHER, p, len, line);
}

/* "expect 250" for the command before. */
static enum status read_expect(struct script_reader *r, const char *p, size_t len, unsigned line)
{
    int code = 0;
    size_t n = 0;
    while (n < len && n < 4 && p[n] >= '0' && p[n] <= '9') {
        code = 10 * code + (p[n] - '0');
        n++;
    }
    if (n == 0 || n > 3 || n < len || p[0] < '2' || p[0] > '5') {
        return script_fail(r, line,
                           _("expect is followed by a code such as 250, or by its first "
                             "digit."));
    }
    if (r->script->count == 0) {
        return script_fail(r, line, _("nothing was sent before this expect."));
    }
    r->script->steps[r->script->count - 1].expect = code;
    return ST_OK;
}

static enum status read_raw(struct script_reader *r, const char *p, size_t len, unsigned line)
{
    struct buf bytes;
    struct error why = {.text = ""};
    buf_init(&bytes, SCRIPT_LINE_MAX);
    enum status st = raw_text_read(p, len, &bytes, &why);
    if (st == ST_INVALID || st == ST_LIMIT) {
        st = script_fail(r, line, "%s", why.text);
    } else if (st != ST_OK) {
        st = no_memory(r);
    } else {
        st = script_add(r, SCRIPT_RAW, VERB_OTHER, buf_str(&bytes), bytes.len, line);
    }
    buf_free(&bytes);
    return st;
}

/* What stands behind the word, when the line begins with it. */
static bool behind(const char *word, const char *p, size_t len, struct span *rest)
{
    size_t n = strlen(word);
    if (len <= n || memcmp(p, word, n) != 0 || !is_blank(p[n])) {
        return false;
    }
    *rest = (struct span){p + n + 1, len - n - 1};
    return true;
}

static enum status read_plain_line(struct script_reader *r, const char *p, size_t len,
                                   unsigned line)
{
    struct span rest;
    if (r->in_text || r->octets > 0) {
        return script_client_line(r, p, len, line);
    }
    while (len > 0 && is_blank(*p)) {
        p++;
        len--;
    }
    if (len == 0 || *p == '#') {
        return ST_OK;
    }
    if (behind("expect", p, len, &rest)) {
        return read_expect(r, rest.p, rest.len, line);
    }
    if (behind("raw", p, len, &rest)) {
        return read_raw(r, rest.p, rest.len, line);
    }
    enum status st = script_client_line(r, p, len, line);
    if (st == ST_OK) {
        r->in_text = r->script->steps[r->script->count - 1].verb == VERB_DATA;
    }
    return st;
}

/* Lines end in LF or CRLF. */
static bool next_line(const char *p, size_t len, size_t *at, struct span *out)
{
    if (*at >= len) {
        return false;
    }
    const char *lf = memchr(p + *at, '\n', len - *at);
    size_t n = lf != NULL ? (size_t)(lf - p) - *at : len - *at;
    *out = (struct span){p + *at, n};
    *at += n + (lf != NULL ? 1 : 0);
    if (out->len > 0 && out->p[out->len - 1] == '\r') {
        out->len--;
    }
    return true;
}

static enum status read_plain(struct script_reader *r, const char *p, size_t len)
{
    struct span line;
    size_t at = 0;
    unsigned number = 0;
    enum status st = ST_OK;
    while (st == ST_OK && next_line(p, len, &at, &line)) {
        number++;
        st = memchr(line.p, '\0', line.len) != NULL
                 ? script_fail(r, number, _("there is a NUL; exact bytes go behind \"raw\"."))
                 : read_plain_line(r, line.p, line.len, number);
    }
    return st == ST_OK ? script_check_chunk(r, number) : st;
}

enum status script_read_transcript(struct script_reader *r, const char *p, size_t len)
{
    struct span line;
    size_t at = 0;
    unsigned number = 0;
    enum status st = ST_OK;
    while (st == ST_OK && next_line(p, len, &at, &line)) {
        struct saved_line saved;
        number++;
        if (saved_line_read(line.p, line.len, &saved)) {
            saved.number = number;
            st = script_saved_line(r, &saved);
        }
    }
    return st == ST_OK ? script_check_chunk(r, number) : st;
}

/* Only reports have lines with a time and a direction; a script has none by chance. */
static bool is_transcript(const char *p, size_t len)
{
    struct span line;
    size_t at = 0;
    bool found = false;
    while (!found && next_line(p, len, &at, &line)) {
        struct saved_line saved;
        found = saved_line_read(line.p, line.len, &saved) && (saved.dir == 'C' || saved.dir == 'S');
    }
    return found;
}

static bool is_json(const char *p, size_t len)
{
    size_t at = 0;
    while (at < len && (is_blank(p[at]) || p[at] == '\r' || p[at] == '\n')) {
        at++;
    }
    return at < len && p[at] == '{';
}

enum status script_read(const char *name, const char *p, size_t len, struct script **out,
                        struct error *error)
{
    char shown[120]; /* a file may be called anything */
    struct script_reader r = {.name = shown, .error = error};
    enum status st;
    *out = NULL;
    escape_copy(shown, sizeof(shown), name, strlen(name), 0);
    if (len > SCRIPT_BYTES_MAX) {
        return error_set(error, ST_LIMIT, 0, _("%s is longer than %zu bytes."), shown,
                         SCRIPT_BYTES_MAX);
    }
    r.script = calloc(1, sizeof(*r.script));
    if (r.script == NULL) {
        return no_memory(&r);
    }
    buf_init(&r.data, SCRIPT_BYTES_MAX);
    if (is_json(p, len)) {
        st = script_read_json(&r, p, len);
    } else if (is_transcript(p, len)) {
        st = script_read_transcript(&r, p, len);
    } else {
        st = read_plain(&r, p, len);
    }
    r.script->ends_in_text = r.in_text;
    if (st == ST_OK && r.script->count == 0) {
        st = error_set(error, ST_INVALID, 0, _("%s holds no line to send."), shown);
    }
    buf_wipe(&r.data);
    free(r.waiting);
    if (st == ST_OK) {
        *out = r.script;
    } else {
        script_free(r.script);
    }
    return st;
}

void script_free(struct script *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        free(s->steps[i].text);
        free(s->steps[i].data);
    }
    free(s->steps);
    free(s);
}

static char *copy_bytes(const char *p, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, p, len);
        copy[len] = '\0';
    }
    return copy;
}

enum status script_copy(const struct script *s, struct script **out)
{
    struct script *copy = calloc(1, sizeof(*copy));
    *out = NULL;
    if (copy == NULL) {
        return ST_NOMEM;
    }
    copy->ends_in_text = s->ends_in_text;
    copy->message_cut = s->message_cut;
    copy->steps = calloc(s->count + 1, sizeof(*copy->steps));
    for (size_t i = 0; copy->steps != NULL && i < s->count; i++) {
        const struct script_step *from = &s->steps[i];
        struct script_step *to = &copy->steps[copy->count++];
        *to = *from;
        to->text = copy_bytes(from->text, from->len);
        to->data = from->data != NULL ? copy_bytes(from->data, from->data_len) : NULL;
        if (to->text == NULL || (from->data != NULL && to->data == NULL)) {
            script_free(copy);
            return ST_NOMEM;
        }
    }
    if (copy->steps == NULL) {
        free(copy);
        return ST_NOMEM;
    }
    *out = copy;
    return ST_OK;
}

/* What a line asks for. */
static unsigned need_of(enum smtp_verb verb)
{
    switch (verb) {
    case VERB_MAIL:
    case VERB_RCPT:
        return SCRIPT_ENVELOPE;
    case VERB_DATA:
    case VERB_BDAT:
    case VERB_BDAT_LAST:
        return SCRIPT_MESSAGE;
    case VERB_AUTH:
        return SCRIPT_LOGIN;
    case VERB_VRFY:
    case VERB_EXPN:
        return SCRIPT_ASKING;
    default:
        return 0;
    }
}

/* The commands in what goes out, with whatever end, and behind whatever blanks, a server accepts. */
static unsigned wire_needs(const char *p, size_t len)
{
    unsigned needs = 0;
    for (size_t at = 0; at < len;) {
        size_t n = 0;
        while (at + n < len && p[at + n] != '\r' && p[at + n] != '\n' && p[at + n] != '\0') {
            n++;
        }
        size_t blanks = 0;
        while (blanks < n && is_blank(p[at + blanks])) {
            blanks++;
        }
        needs |= need_of(smtp_verb_of(p + at + blanks, n - blanks));
        at += n + 1;
    }
    return needs;
}

/* The script as it goes out, but for message text: exact bytes may hold a part of a command, and the
   next step the rest of it. */
static enum status add_wire(const struct script *s, struct buf *wire)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < s->count && st == ST_OK; i++) {
        const struct script_step *step = &s->steps[i];
        if (step->kind == SCRIPT_TEXT || step->kind == SCRIPT_DOT) {
            continue;
        }
        st = buf_add(wire, step->text, step->len);
        if (st == ST_OK && step->kind != SCRIPT_RAW) {
            st = buf_add(wire, "\r\n", 2);
        }
    }
    return st;
}

unsigned script_needs(const struct script *s)
{
    unsigned needs = 0;
    struct buf wire;
    for (size_t i = 0; i < s->count; i++) {
        needs |= need_of(s->steps[i].verb);
        needs |= s->steps[i].kind == SCRIPT_HIDDEN ? SCRIPT_GAPS : 0u;
    }
    buf_init(&wire, SCRIPT_BYTES_MAX + 2 * (size_t)SCRIPT_STEPS_MAX);
    if (add_wire(s, &wire) == ST_OK) {
        needs |= wire_needs(buf_str(&wire), wire.len);
    } else {
        /* What cannot be looked at is asked for. */
        needs |= SCRIPT_ENVELOPE | SCRIPT_MESSAGE | SCRIPT_LOGIN | SCRIPT_ASKING;
    }
    buf_free(&wire);
    return needs;
}
