#include "bounce_line.h"

#include <string.h>

#include "bounce_words.h"

/* The line with every control a blank, and the same in lower case to look for words in. */
struct copy {
    size_t len;
    char p[BOUNCE_LINE_MAX + 1], low[BOUNCE_LINE_MAX + 1];
};

/* A code in the line: where it stands, and where the words behind it begin. */
struct code_place {
    size_t at, words;
    int code;
    int weight; /* how much speaks for it being a reply; 0: nothing */
    char enhanced[BOUNCE_ENHANCED_MAX];
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void copy_line(struct span line, struct copy *c, bool *cut)
{
    *cut = line.len > BOUNCE_LINE_MAX;
    c->len = *cut ? BOUNCE_LINE_MAX : line.len;
    for (size_t i = 0; i < c->len; i++) {
        unsigned char byte = (unsigned char)line.p[i];
        c->p[i] = byte < ' ' || byte == 0x7f ? ' ' : line.p[i];
        c->low[i] = lower(c->p[i]);
    }
    while (c->len > 0 && c->p[c->len - 1] == ' ') {
        c->len--;
    }
    c->p[c->len] = c->low[c->len] = '\0';
}

/* Where the words, which are lower case, begin at or behind `from`; c->len when they do not. */
static size_t find(const struct copy *c, size_t from, const char *words)
{
    const char *found = strstr(c->low + from, words);
    return found != NULL ? (size_t)(found - c->low) : c->len;
}

static bool has(const struct copy *c, const char *words)
{
    return find(c, 0, words) < c->len;
}

/* The length of "5.1.1" at p, 0 when there is none (RFC 3463 2). */
static size_t enhanced_length(const char *p)
{
    size_t n = 1;
    if (*p != '2' && *p != '4' && *p != '5') {
        return 0;
    }
    for (int part = 0; part < 2; part++) {
        size_t digits = 0;
        if (p[n] != '.') {
            return 0;
        }
        n++;
        while (digits < 3 && is_digit(p[n])) {
            n++;
            digits++;
        }
        if (digits == 0) {
            return 0;
        }
    }
    return is_digit(p[n]) || p[n] == '.' ? 0 : n;
}

static void set_enhanced(char *out, const char *p, size_t len)
{
    memcpy(out, p, len);
    out[len] = '\0';
}

static int code_at(const char *p)
{
    if (p[0] < '2' || p[0] > '5' || p[1] < '0' || p[1] > '9' || !is_digit(p[2]) || is_digit(p[3])) {
        return 0;
    }
    return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static size_t skip_blanks(const char *p)
{
    return strspn(p, " ");
}

/* True when one of the introductions stands directly before that place. */
static bool is_introduced(const struct copy *c, size_t at)
{
    while (at > 0 && (c->p[at - 1] == ' ' || c->p[at - 1] == '\'' || c->p[at - 1] == '"')) {
        at--;
    }
    for (size_t i = 0; bounce_introductions[i] != NULL; i++) {
        size_t len = strlen(bounce_introductions[i]);
        if (len <= at && memcmp(c->low + at - len, bounce_introductions[i], len) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * What speaks for the digits at p[at] being the code of a reply. Ports, sizes and seconds also have three
 * digits, so a number in the middle needs more than to be there.
 */
static int weigh(const struct copy *c, size_t at, const struct code_place *place)
{
    const char *p = c->p;
    char before = at > 0 ? p[at - 1] : ' ';
    bool begins = at == skip_blanks(p);
    bool introduced = !begins && is_introduced(c, at);
    bool enhanced = place->enhanced[0] != '\0';
    if (begins || introduced) {
        return 4;
    }
    if (place->code < 400 || strchr(" :;'\"(<>#[", before) == NULL) {
        return 0;
    }
    if (enhanced) {
        return 3;
    }
    size_t colon = at;
    while (colon > 0 && p[colon - 1] == ' ') {
        colon--;
    }
    bool after_colon = colon > 0 && (p[colon - 1] == ':' || p[colon - 1] == ';');
    return after_colon || strchr("'\"#", before) != NULL ? 2 : 0;
}

static bool read_code(const struct copy *c, size_t at, struct code_place *place)
{
    const char *p = c->p;
    memset(place, 0, sizeof(*place));
    place->at = at;
    place->code = code_at(p + at);
    char next = place->code > 0 ? p[at + 3] : 'x';
    if (place->code == 0 || (next != ' ' && next != '-' && next != '\0' && next != '#')) {
        return false;
    }
    size_t n = at + 3;
    n += next == '-' || next == '#' ? 1 : 0;
    n += strspn(p + n, " '\"#");
    size_t len = enhanced_length(p + n);
    if (len > 0) {
        set_enhanced(place->enhanced, p + n, len);
        n += len;
    }
    place->words = n;
    place->weight = weigh(c, at, place);
    return place->weight > 0;
}

/* In a transcript the refusal is what counts. */
static bool is_better(const struct code_place *a, const struct code_place *b)
{
    return a->weight > b->weight || (a->weight == b->weight && a->code >= 400 && b->code < 400);
}

static bool find_code(const struct copy *c, struct code_place *best)
{
    struct code_place place;
    memset(best, 0, sizeof(*best));
    for (size_t i = 0; i < c->len; i++) {
        if (is_digit(c->p[i]) && (i == 0 || !is_digit(c->p[i - 1])) && read_code(c, i, &place) &&
            is_better(&place, best)) {
            *best = place;
        }
    }
    return best->weight > 0;
}

/* Where the words end: before what a log adds behind the reply. */
static size_t words_end(const struct copy *c, size_t from, bool quoted)
{
    size_t end = c->len;
    for (size_t i = 0; bounce_endings[i] != NULL; i++) {
        size_t found = find(c, from, bounce_endings[i]);
        end = found < end ? found : end;
    }
    if (quoted) {
        const char *quote = strrchr(c->p + from, '\'');
        end = quote != NULL && (size_t)(quote - c->p) < end ? (size_t)(quote - c->p) : end;
    }
    while (end > from && strchr(" '#", c->p[end - 1]) != NULL) {
        end--;
    }
    return end;
}

/*
 * The words, without the code that servers put before every line of a long reply and logs leave in the
 * middle of it.
 */
static void take_words(const struct copy *c, size_t from, size_t end, struct bounce_line *out)
{
    size_t i = from + skip_blanks(c->p + from);
    while (i < end && out->text_len < sizeof(out->text)) {
        bool token = i == from || c->p[i - 1] == ' ';
        if (token && out->code > 0 && code_at(c->p + i) == out->code &&
            (c->p[i + 3] == ' ' || c->p[i + 3] == '-')) {
            i += 4;
            i += skip_blanks(c->p + i);
            size_t len = enhanced_length(c->p + i);
            if (len > 0 && out->enhanced[0] == '\0') {
                set_enhanced(out->enhanced, c->p + i, len);
            }
            i += len;
            i += skip_blanks(c->p + i);
            continue;
        }
        out->text[out->text_len++] = c->p[i++];
    }
    while (out->text_len > 0 && out->text[out->text_len - 1] == ' ') {
        out->text_len--;
    }
}

static enum reply_stage find_stage(const struct copy *c)
{
    for (size_t i = 0; bounce_stages[i].words != NULL; i++) {
        if (has(c, bounce_stages[i].words)) {
            return bounce_stages[i].stage;
        }
    }
    return STAGE_UNKNOWN;
}

/* sendmail's transcripts: the last ">>> COMMAND" before the reply. */
static enum reply_stage find_command(const struct copy *c, size_t before)
{
    enum reply_stage stage = STAGE_UNKNOWN;
    const char *p = c->p;
    while ((p = strstr(p, ">>> ")) != NULL && (size_t)(p - c->p) < before) {
        p += 4;
        for (size_t i = 0; bounce_commands[i].words != NULL; i++) {
            const char *words = bounce_commands[i].words;
            if (strncmp(c->low + (p - c->p), words, strlen(words)) == 0) {
                stage = bounce_commands[i].stage;
                break;
            }
        }
    }
    return stage;
}

static size_t host_length(const char *p)
{
    size_t n = 0;
    while (is_digit(p[n]) || (lower(p[n]) >= 'a' && lower(p[n]) <= 'z') || p[n] == '.' || p[n] == '-' ||
           p[n] == '_') {
        n++;
    }
    return n;
}

static void find_host(const struct copy *c, char *out, size_t size)
{
    for (size_t i = 0; bounce_hosts[i] != NULL; i++) {
        size_t at = find(c, 0, bounce_hosts[i]);
        if (at == c->len) {
            continue;
        }
        const char *p = c->p + at + strlen(bounce_hosts[i]);
        size_t n = host_length(p);
        if (n > 0 && n < size && memchr(p, '.', n) != NULL) {
            memcpy(out, p, n);
            out[n] = '\0';
            return;
        }
    }
}

static void find_vendor(const struct copy *c, struct bounce_line *out)
{
    for (size_t i = 0; bounce_vendors[i].words != NULL; i++) {
        if (has(c, bounce_vendors[i].words)) {
            out->vendor = reply_vendor_find(bounce_vendors[i].vendor);
            return;
        }
    }
}

/* An enhanced code that stands by itself: "dsn=5.1.1", "(#5.1.1)", or first of all words. */
static void find_enhanced(const struct copy *c, struct bounce_line *out)
{
    static const char *const marks[] = {"dsn=", "#", "status: "};
    for (size_t i = 0; i < ARRAY_LEN(marks) && out->enhanced[0] == '\0'; i++) {
        for (size_t at = find(c, 0, marks[i]); at < c->len; at = find(c, at, marks[i])) {
            at += strlen(marks[i]);
            size_t len = enhanced_length(c->p + at);
            if (len > 0) {
                set_enhanced(out->enhanced, c->p + at, len);
                return;
            }
        }
    }
    size_t len = out->enhanced[0] == '\0' ? enhanced_length(out->text) : 0;
    if (len > 0 && len < out->text_len) {
        set_enhanced(out->enhanced, out->text, len);
        out->kind = out->kind == BOUNCE_NOTHING ? BOUNCE_LOG : out->kind;
        len += skip_blanks(out->text + len);
        memmove(out->text, out->text + len, out->text_len - len);
        out->text_len -= len;
    }
}

/* What a log says without a reply: behind the last of the openings that it has. */
static bool take_log(const struct copy *c, struct bounce_line *out)
{
    size_t from = 0;
    bool known = false;
    for (size_t i = 0; bounce_openings[i] != NULL; i++) {
        size_t at = find(c, 0, bounce_openings[i]);
        if (at < c->len) {
            from = at + strlen(bounce_openings[i]);
            /* "rejected RCPT <a@b>: relay not permitted" */
            const char *colon = strstr(c->p + from, ": ");
            bool more = bounce_openings[i][0] == ' ' && colon != NULL;
            from = more ? (size_t)(colon - c->p) + 2 : from;
            known = true;
            break;
        }
    }
    size_t end = c->len;
    if (known && end > from && c->p[end - 1] == ')') {
        end--;
    }
    take_words(c, from, end, out);
    return known;
}

void bounce_line_read(struct span line, struct bounce_line *out)
{
    struct copy c;
    struct code_place place;
    memset(out, 0, sizeof(*out));
    copy_line(line, &c, &out->cut);
    out->stage = find_stage(&c);
    find_host(&c, out->host, sizeof(out->host));
    find_vendor(&c, out);
    if (find_code(&c, &place)) {
        out->kind = BOUNCE_REPLY;
        out->code = place.code;
        memcpy(out->enhanced, place.enhanced, sizeof(out->enhanced));
        bool quoted = place.at > 0 && c.p[place.at - 1] == '\'';
        take_words(&c, place.words, words_end(&c, place.words, quoted), out);
        if (out->stage == STAGE_UNKNOWN) {
            out->stage = find_command(&c, place.at);
        }
    } else {
        bool known = take_log(&c, out) || out->stage != STAGE_UNKNOWN;
        out->kind = known ? BOUNCE_LOG : BOUNCE_NOTHING;
    }
    find_enhanced(&c, out);
}

struct reply_question bounce_line_question(const struct bounce_line *line)
{
    struct reply_question q = {.vendor = line->vendor,
                               .host = line->host[0] != '\0' ? line->host : NULL,
                               .stage = line->stage,
                               .code = line->code,
                               .enhanced = line->enhanced,
                               .text = {line->text, line->text_len}};
    return q;
}

struct reply_verdict bounce_line_decode(const struct bounce_line *line)
{
    struct reply_question q = bounce_line_question(line);
    struct reply_verdict v = reply_decode(&q);
    if (line->kind == BOUNCE_NOTHING) {
        v.confidence = CONFIDENCE_GUESS;
    }
    return v;
}
