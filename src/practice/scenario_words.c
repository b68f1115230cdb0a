#include "scenario_words.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "text.h"

/* Longest part of a hostile word that a message repeats. */
#define FOUND_SHOWN 60

void reader_init(struct scenario_reader *r, const char *file, const char *text, size_t len,
                 struct error *error)
{
    memset(r, 0, sizeof(*r));
    r->file = file;
    r->text = text;
    r->len = len;
    r->error = error;
    r->next_line = 1;
    buf_init(&r->raw, SCENARIO_LINE_MAX);
    buf_init(&r->words_text, 2 * SCENARIO_LINE_MAX);
}

void reader_free(struct scenario_reader *r)
{
    buf_free(&r->raw);
    buf_free(&r->words_text);
}

enum status reader_fail(struct scenario_reader *r, const char *fmt, ...)
{
    char what[200];
    char file[80];
    struct buf b;
    va_list ap;
    buf_init(&b, 4096);
    va_start(ap, fmt);
    if (buf_addv(&b, fmt, ap) != ST_OK) {
        buf_clear(&b);
    }
    va_end(ap);
    str_copy(what, sizeof(what), buf_str(&b));
    buf_free(&b);
    escape_copy(file, sizeof(file), r->file, strlen(r->file), 0);
    return error_set(r->error, ST_INVALID, 0, _("%s, line %u: %s"), file, r->line, what);
}

enum status reader_no_memory(struct scenario_reader *r)
{
    char file[80];
    escape_copy(file, sizeof(file), r->file, strlen(r->file), 0);
    return error_set(r->error, ST_NOMEM, 0,
                     _("%s, line %u: there is no memory left, or the file has too many entries"),
                     file, r->line);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One physical line without its end; false at the end of the file. */
static bool physical_line(struct scenario_reader *r, struct span *out)
{
    if (r->pos >= r->len) {
        return false;
    }
    const char *start = r->text + r->pos;
    const char *end = memchr(start, '\n', r->len - r->pos);
    size_t len = end != NULL ? (size_t)(end - start) : r->len - r->pos;
    r->pos += len + (end != NULL ? 1 : 0);
    r->next_line++;
    if (len > 0 && start[len - 1] == '\r') {
        len--;
    }
    out->p = start;
    out->len = len;
    return true;
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.p[s.len - 1])) {
        s.len--;
    }
    return s;
}

static enum status add_to_line(struct scenario_reader *r, struct span part)
{
    if (part.len > 0 && memchr(part.p, '\0', part.len) != NULL) {
        return reader_fail(r, _("expected text, but found a NUL byte"));
    }
    enum status st = buf_add(&r->raw, part.p, part.len);
    if (st == ST_LIMIT) {
        return reader_fail(r, _("expected a line of at most %d bytes"), SCENARIO_LINE_MAX);
    }
    return st == ST_OK ? ST_OK : reader_no_memory(r);
}

enum status reader_line(struct scenario_reader *r)
{
    struct span s;
    r->word_count = 0;
    r->word_next = 0;
    for (;;) {
        r->line = r->next_line;
        if (!physical_line(r, &s)) {
            return ST_EOF;
        }
        struct span content = trim(s);
        if (content.len == 0 || content.p[0] == '#') {
            continue;
        }
        r->indented = is_blank(s.p[0]);
        s = content;
        break;
    }
    buf_clear(&r->raw);
    for (;;) {
        bool more = s.len > 0 && s.p[s.len - 1] == '\\' && (s.len < 2 || s.p[s.len - 2] != '\\');
        if (more) {
            s.len--;
        }
        enum status st = add_to_line(r, s);
        if (st != ST_OK || !more) {
            return st;
        }
        if (!physical_line(r, &s)) {
            return reader_fail(r, _("expected another line after the backslash"));
        }
        s = trim(s);
    }
}

static enum status add_word(struct scenario_reader *r, size_t *offsets, size_t at, bool quoted)
{
    if (r->word_count >= SCENARIO_WORDS_MAX) {
        return reader_fail(r, _("expected at most %d words in a line"), SCENARIO_WORDS_MAX);
    }
    offsets[r->word_count] = at;
    r->words[r->word_count].quoted = quoted;
    r->word_count++;
    return ST_OK;
}

static enum status store(struct scenario_reader *r, const char *p, size_t len)
{
    if (buf_add(&r->words_text, p, len) != ST_OK || buf_add(&r->words_text, "", 1) != ST_OK) {
        return reader_no_memory(r);
    }
    return ST_OK;
}

static enum status split_quoted(struct scenario_reader *r, const char **pp, size_t *offsets)
{
    const char *start = *pp + 1;
    const char *p = start;
    while (*p != '\0' && *p != '"') {
        p += *p == '\\' && p[1] != '\0' ? 2 : 1;
    }
    if (*p != '"') {
        return reader_fail(r, _("expected a closing quotation mark"));
    }
    enum status st = add_word(r, offsets, r->words_text.len, true);
    if (st != ST_OK) {
        return st;
    }
    *pp = p + 1;
    return store(r, start, (size_t)(p - start));
}

static enum status split_bare(struct scenario_reader *r, const char **pp, size_t *offsets,
                              bool rule)
{
    const char *start = *pp;
    const char *p = start;
    while (*p != '\0' && !is_blank(*p) && *p != '"') {
        p++;
    }
    *pp = p;
    size_t len = (size_t)(p - start);
    char mark = start[len - 1];
    bool marked = rule && (mark == ',' || mark == ':');
    if (marked) {
        len--;
    }
    enum status st = ST_OK;
    if (len > 0) {
        st = add_word(r, offsets, r->words_text.len, false);
        if (st == ST_OK) {
            st = store(r, start, len);
        }
    }
    if (st == ST_OK && marked) {
        st = add_word(r, offsets, r->words_text.len, false);
        if (st == ST_OK) {
            st = store(r, &mark, 1);
        }
    }
    return st;
}

enum status reader_split(struct scenario_reader *r, bool rule)
{
    size_t offsets[SCENARIO_WORDS_MAX];
    buf_clear(&r->words_text);
    r->word_count = 0;
    r->word_next = 0;
    const char *p = buf_str(&r->raw);
    for (;;) {
        while (is_blank(*p)) {
            p++;
        }
        if (*p == '\0') {
            break;
        }
        enum status st =
            *p == '"' ? split_quoted(r, &p, offsets) : split_bare(r, &p, offsets, rule);
        if (st != ST_OK) {
            return st;
        }
    }
    for (size_t i = 0; i < r->word_count; i++) {
        r->words[i].p = r->words_text.p + offsets[i];
    }
    return ST_OK;
}

const struct scenario_word *reader_peek(const struct scenario_reader *r)
{
    return r->word_next < r->word_count ? &r->words[r->word_next] : NULL;
}

const struct scenario_word *reader_take(struct scenario_reader *r)
{
    const struct scenario_word *w = reader_peek(r);
    if (w != NULL) {
        r->word_next++;
    }
    return w;
}

bool reader_accept(struct scenario_reader *r, const char *word)
{
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || w->quoted || strcmp(w->p, word) != 0) {
        return false;
    }
    r->word_next++;
    return true;
}

const char *reader_found(const struct scenario_reader *r, char *out, size_t size)
{
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL) {
        str_copy(out, size, _("the end of the line"));
        return out;
    }
    char shown[FOUND_SHOWN];
    escape_copy(shown, sizeof(shown), w->p, strlen(w->p), 0);
    struct buf b;
    buf_init(&b, FOUND_SHOWN + 8);
    if (buf_addf(&b, "\"%s\"", shown) != ST_OK) {
        buf_clear(&b);
    }
    str_copy(out, size, buf_str(&b));
    buf_free(&b);
    return out;
}

enum status reader_end(struct scenario_reader *r)
{
    char found[FOUND_SHOWN + 8];
    if (reader_peek(r) == NULL) {
        return ST_OK;
    }
    return reader_fail(r, _("expected the end of the line, found %s"),
                       reader_found(r, found, sizeof(found)));
}

/* Digits only; false when there is none, something else follows, or it is larger than max. */
static bool parse_digits(const char *p, const char **end, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    const char *start = p;
    while (*p >= '0' && *p <= '9') {
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        p++;
    }
    *end = p;
    *out = value;
    return p > start;
}

enum status reader_number(struct scenario_reader *r, uint64_t max, uint64_t *out)
{
    char found[FOUND_SHOWN + 8];
    const struct scenario_word *w = reader_peek(r);
    const char *end = "";
    if (w == NULL || w->quoted || !parse_digits(w->p, &end, max, out) || *end != '\0') {
        return reader_fail(r, _("expected a number up to %llu, found %s"), (unsigned long long)max,
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return ST_OK;
}

struct time_unit {
    const char *name;
    int64_t us;
};

static const struct time_unit time_units[] = {
    {"ms", US_PER_MS},
    {"s", US_PER_S},
    {"min", 60 * US_PER_S},
    {"h", 3600 * US_PER_S},
    {"d", INT64_C(86400) * US_PER_S},
};

static bool parse_time(const char *p, bool sign, int64_t *out)
{
    bool negative = sign && *p == '-';
    if (negative || (sign && *p == '+')) {
        p++;
    }
    uint64_t value;
    const char *unit;
    if (!parse_digits(p, &unit, INT64_MAX, &value)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(time_units); i++) {
        if (strcmp(unit, time_units[i].name) == 0) {
            if (value > (uint64_t)(SCENARIO_TIME_MAX_US / time_units[i].us)) {
                return false;
            }
            *out = (negative ? -1 : 1) * (int64_t)value * time_units[i].us;
            return true;
        }
    }
    return false;
}

enum status reader_time(struct scenario_reader *r, bool sign, int64_t *out)
{
    char found[FOUND_SHOWN + 8];
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || w->quoted || !parse_time(w->p, sign, out)) {
        return reader_fail(r, _("expected a time such as 20ms, 5s, 3min, 2h or 10d, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return ST_OK;
}

enum status reader_address(struct scenario_reader *r, struct net_address *out)
{
    char found[FOUND_SHOWN + 8];
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || w->quoted || !net_address_parse(w->p, out)) {
        return reader_fail(r, _("expected an IPv4 or IPv6 address, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return ST_OK;
}

static bool parse_clock(const char *p, int64_t *out)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    int field[6] = {0};
    size_t at = 0;
    if (strlen(p) != sizeof(shape) - 1) {
        return false;
    }
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == 'd') {
            if (p[i] < '0' || p[i] > '9') {
                return false;
            }
            field[at] = field[at] * 10 + (p[i] - '0');
        } else if (p[i] != shape[i]) {
            return false;
        } else {
            at++;
        }
        if (at >= ARRAY_LEN(field)) {
            break;
        }
    }
    struct tm tm = {.tm_year = field[0] - 1900,
                    .tm_mon = field[1] - 1,
                    .tm_mday = field[2],
                    .tm_hour = field[3],
                    .tm_min = field[4],
                    .tm_sec = field[5]};
    if (field[0] < 1970 || field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31 ||
        field[3] > 23 || field[4] > 59 || field[5] > 59) {
        return false;
    }
    time_t t = timegm(&tm);
    *out = (int64_t)t * US_PER_S;
    /* timegm makes a 1 March of a 31 February. */
    return t >= 0 && tm.tm_mday == field[2];
}

enum status reader_clock(struct scenario_reader *r, int64_t *out)
{
    char found[FOUND_SHOWN + 8];
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || !parse_clock(w->p, out)) {
        return reader_fail(r, _("expected a time such as 2026-11-23T12:00:00Z, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return ST_OK;
}

enum status reader_word(struct scenario_reader *r, char **out)
{
    char found[FOUND_SHOWN + 8];
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || w->p[0] == '\0') {
        return reader_fail(r, _("expected a word, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return str_set(out, w->p) == ST_OK ? ST_OK : reader_no_memory(r);
}

static enum status check_fill(void *ctx, enum text_field field, struct buf *out)
{
    (void)ctx;
    (void)field;
    (void)out;
    return ST_OK;
}

enum status reader_text(struct scenario_reader *r, char **out)
{
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL) {
        return reader_fail(r, _("expected a text, found the end of the line"));
    }
    struct buf scratch;
    const char *bad = NULL;
    buf_init(&scratch, 2 * SCENARIO_LINE_MAX);
    enum status st = scenario_text_add(&scratch, w->p, check_fill, NULL, &bad);
    buf_free(&scratch);
    if (st == ST_INVALID) {
        char shown[24];
        escape_copy(shown, sizeof(shown), bad, strlen(bad), 0);
        return *bad == '\\'
                   ? reader_fail(
                         r, _("expected \\r \\n \\t \\a \\e \\\\ \\\" \\xHH or \\u{HEX} at %s"),
                         shown)
                   : reader_fail(r,
                                 _("expected {host} {client} {helo} {sender} {address} {command} "
                                   "{id} {n} {size} {date} {software} or {{ at %s"),
                                 shown);
    }
    if (st != ST_OK) {
        return reader_no_memory(r);
    }
    r->word_next++;
    return str_set(out, w->p) == ST_OK ? ST_OK : reader_no_memory(r);
}

void *list_grow(void *list, size_t count, size_t size)
{
    if (count >= SCENARIO_LIST_MAX) {
        return NULL;
    }
    /* Doubles whenever the count is a power of two. */
    if ((count & (count - 1)) == 0) {
        size_t cap = count == 0 ? 1 : count * 2;
        void *p = realloc(list, cap * size);
        if (p == NULL) {
            return NULL;
        }
        list = p;
    }
    memset((char *)list + count * size, 0, size);
    return list;
}

enum status strings_add(struct scenario_reader *r, struct scenario_strings *list, char *taken)
{
    char **grown = list_grow(list->p, list->count, sizeof(*grown));
    if (grown == NULL) {
        free(taken);
        return reader_no_memory(r);
    }
    list->p = grown;
    list->p[list->count++] = taken;
    return ST_OK;
}

void strings_free(struct scenario_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->p[i]);
    }
    free(list->p);
    memset(list, 0, sizeof(*list));
}

static enum status read_all(struct scenario_reader *r, struct scenario_strings *out,
                            enum status (*one)(struct scenario_reader *, char **))
{
    do {
        char *text = NULL;
        enum status st = one(r, &text);
        if (st == ST_OK) {
            st = strings_add(r, out, text);
        }
        if (st != ST_OK) {
            return st;
        }
    } while (reader_peek(r) != NULL);
    return ST_OK;
}

enum status reader_words(struct scenario_reader *r, struct scenario_strings *out)
{
    return read_all(r, out, reader_word);
}

enum status reader_texts(struct scenario_reader *r, struct scenario_strings *out)
{
    return read_all(r, out, reader_text);
}
