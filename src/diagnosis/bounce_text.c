#include "bounce_text.h"

#include <string.h>

/* RFC 3464 2.2 and 2.3; what some programs add begins with "X-". */
static const char *const dsn_fields[] = {
    "original-envelope-id", "reporting-mta",  "dsn-gateway",       "received-from-mta",
    "arrival-date",         "final-log-id",   "original-recipient", "final-recipient",
    "action",               "status",         "remote-mta",        "last-attempt-date",
    "will-retry-until",     "diagnostic-code",
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trimmed(struct span s)
{
    while (s.len > 0 && (is_blank(s.p[s.len - 1]) || s.p[s.len - 1] == '\r')) {
        s.len--;
    }
    while (s.len > 0 && is_blank(*s.p)) {
        s.p++;
        s.len--;
    }
    return s;
}

/* The name of the DSN field that the line is, with its value; NULL when it is none. */
static const char *dsn_field(struct span line, struct span *value)
{
    const char *colon = line.len > 0 ? memchr(line.p, ':', line.len) : NULL;
    if (colon == NULL) {
        return NULL;
    }
    struct span name = {line.p, (size_t)(colon - line.p)};
    *value = trimmed((struct span){colon + 1, line.len - name.len - 1});
    for (size_t i = 0; i < ARRAY_LEN(dsn_fields); i++) {
        if (span_equal_nocase(name, dsn_fields[i])) {
            return dsn_fields[i];
        }
    }
    bool extra = name.len > 2 && span_equal_nocase((struct span){name.p, 2}, "x-") &&
                 memchr(name.p, ' ', name.len) == NULL;
    return extra ? "x-" : NULL;
}

void bounce_reader_init(struct bounce_reader *r,
                        void (*take)(void *ctx, struct span shown, const struct bounce_line *line),
                        void *ctx)
{
    memset(r, 0, sizeof(*r));
    r->take = take;
    r->ctx = ctx;
    buf_init(&r->pending, BOUNCE_LINE_MAX + 1);
}

void bounce_reader_free(struct bounce_reader *r)
{
    buf_free(&r->pending);
}

static void take(struct bounce_reader *r, struct span shown)
{
    bounce_line_read(shown, &r->line);
    if (!r->replies_alone || r->line.kind != BOUNCE_NOTHING) {
        r->take(r->ctx, shown, &r->line);
    }
}

/* The reply's own enhanced code says more than the one that the sending server chose. */
static void take_pending(struct bounce_reader *r)
{
    if (r->pending.len == 0) {
        return;
    }
    struct span shown = {r->pending.p, r->pending.len};
    bounce_line_read(shown, &r->line);
    if (r->line.enhanced[0] == '\0') {
        memcpy(r->line.enhanced, r->status, sizeof(r->line.enhanced));
    }
    if (r->line.host[0] == '\0') {
        memcpy(r->line.host, r->host, sizeof(r->line.host));
    }
    r->take(r->ctx, shown, &r->line);
    buf_clear(&r->pending);
    r->status[0] = r->host[0] = '\0';
}

/* What is over the ceiling is not looked at anyway. */
static void add_pending(struct bounce_reader *r, struct span text)
{
    enum status st = r->pending.len > 0 ? buf_add_char(&r->pending, ' ') : ST_OK;
    if (st == ST_OK) {
        size_t room = r->pending.max > r->pending.len + 1 ? r->pending.max - r->pending.len - 1 : 0;
        st = buf_add(&r->pending, text.p, text.len < room ? text.len : room);
    }
    (void)st;
}

static void keep(char *out, size_t size, struct span value)
{
    size_t n = value.len < size - 1 ? value.len : 0;
    memcpy(out, value.p, n);
    out[n] = '\0';
}

static void take_field(struct bounce_reader *r, const char *name, struct span value,
                       struct span line)
{
    take_pending(r);
    if (strcmp(name, "diagnostic-code") == 0) {
        add_pending(r, line);
    } else if (strcmp(name, "status") == 0) {
        keep(r->status, sizeof(r->status), value);
    } else if (strcmp(name, "remote-mta") == 0) {
        /* "dns; mx.example.com (192.0.2.1, the server for the domain example.com.)" */
        const char *semicolon = value.len > 0 ? memchr(value.p, ';', value.len) : NULL;
        if (semicolon != NULL) {
            value.len -= (size_t)(semicolon + 1 - value.p);
            value.p = semicolon + 1;
        }
        value = trimmed(value);
        const char *end = value.len > 0 ? memchr(value.p, ' ', value.len) : NULL;
        value.len = end != NULL ? (size_t)(end - value.p) : value.len;
        keep(r->host, sizeof(r->host), value);
    }
}

void bounce_reader_line(struct bounce_reader *r, struct span line)
{
    struct span value;
    struct span text = trimmed(line);
    if (text.len == 0) {
        take_pending(r);
        r->status[0] = r->host[0] = '\0';
        return;
    }
    if (r->pending.len > 0 && is_blank(*line.p)) {
        add_pending(r, text);
        return;
    }
    const char *field = dsn_field(text, &value);
    if (field != NULL) {
        take_field(r, field, value, text);
        return;
    }
    take_pending(r);
    if (!r->fields_alone) {
        take(r, text);
    }
}

void bounce_reader_end(struct bounce_reader *r)
{
    take_pending(r);
}

/* A whole text: what kind it is decides how its lines belong together. */
struct shape {
    bool dsn;         /* it has a Diagnostic-Code */
    bool all_codes;   /* every line begins with a code */
    unsigned replies; /* lines that are a reply by themselves */
};

static bool next_line(struct span *text, struct span *line)
{
    if (text->len == 0) {
        return false;
    }
    const char *end = memchr(text->p, '\n', text->len);
    size_t n = end != NULL ? (size_t)(end - text->p) : text->len;
    *line = (struct span){text->p, n};
    n += end != NULL ? 1 : 0;
    text->p += n;
    text->len -= n;
    return true;
}

static bool begins_with_code(struct span line)
{
    struct span t = trimmed(line);
    if (t.len < 3 || (t.len > 3 && t.p[3] != ' ' && t.p[3] != '-')) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (t.p[i] < '0' || t.p[i] > '9') {
            return false;
        }
    }
    return true;
}

static void look(struct span text, struct bounce_reader *r, struct shape *shape)
{
    struct span line, value;
    *shape = (struct shape){.all_codes = true};
    while (next_line(&text, &line)) {
        struct span t = trimmed(line);
        if (t.len == 0) {
            continue;
        }
        const char *field = dsn_field(t, &value);
        shape->dsn = shape->dsn || (field != NULL && strcmp(field, "diagnostic-code") == 0);
        shape->all_codes = shape->all_codes && begins_with_code(t);
        bounce_line_read(t, &r->line);
        shape->replies += r->line.kind == BOUNCE_REPLY ? 1 : 0;
    }
}

/* "550-a", "550-b", "550 c" are one reply; another code, or what stands behind the last line, is the
 * next. */
static void take_replies(struct bounce_reader *r, struct span text)
{
    struct span line;
    bool more = false;
    char code[3] = "";
    while (next_line(&text, &line)) {
        struct span t = trimmed(line);
        if (t.len == 0) {
            continue;
        }
        if (!more || memcmp(code, t.p, sizeof(code)) != 0) {
            take_pending(r);
        }
        memcpy(code, t.p, sizeof(code));
        more = t.len > 3 && t.p[3] == '-';
        add_pending(r, t);
    }
    take_pending(r);
}

void bounce_text_read(struct span text,
                      void (*take_one)(void *ctx, struct span shown,
                                       const struct bounce_line *line),
                      void *ctx)
{
    struct bounce_reader r;
    struct shape shape;
    struct span line;
    bounce_reader_init(&r, take_one, ctx);
    look(text, &r, &shape);
    if (shape.all_codes && !shape.dsn) {
        take_replies(&r, text);
    } else if (shape.dsn || shape.replies > 1) {
        r.fields_alone = shape.dsn;
        r.replies_alone = true;
        while (next_line(&text, &line)) {
            bounce_reader_line(&r, line);
        }
        bounce_reader_end(&r);
    } else if (trimmed(text).len > 0) {
        take(&r, trimmed(text));
    }
    bounce_reader_free(&r);
}
