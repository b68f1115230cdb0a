#include "letter.h"

#include <string.h>

#define BUILT_MAX (TEXTAREA_MAX + (1u << 16))

enum status letter_write(struct textarea *t, const struct compose_message *m, struct error *error)
{
    struct buf text, id;
    bool eight_bit = false;
    buf_init(&text, BUILT_MAX);
    buf_init(&id, 1024);
    enum status st = compose_build(m, &text, &id, &eight_bit, error);
    if (st == ST_OK) {
        st = textarea_set(t, buf_str(&text), text.len);
    }
    if (st == ST_OK) {
        textarea_goto(t, t->count - 1, 0);
    }
    buf_free(&text);
    buf_free(&id);
    return st;
}

/* RFC 5322 2.2: printable ASCII but the colon. */
static size_t name_len(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] > ' ' && p[n] <= '~' && p[n] != ':') {
        n++;
    }
    return n < len && p[n] == ':' ? n : 0;
}

bool letter_has_header(const char *p, size_t len)
{
    return name_len(p, len) > 0;
}

/* The line that ends the header, or the number of lines. */
static size_t header_end(const struct textarea *t)
{
    size_t i = 0;
    while (i < t->count && t->lines[i].len > 0) {
        i++;
    }
    return i;
}

static bool is_folded(const struct textarea_line *line)
{
    return line->len > 0 && (line->p[0] == ' ' || line->p[0] == '\t');
}

static bool has_name(const struct textarea_line *line, const char *name)
{
    struct span typed = {line->p, name_len(line->p, line->len)};
    return typed.len > 0 && span_equal_nocase(typed, name);
}

bool letter_header(const struct textarea *t, const char *name, char *out, size_t size)
{
    size_t end = header_end(t);
    size_t i = 0;
    out[0] = '\0';
    while (i < end && !has_name(&t->lines[i], name)) {
        i++;
    }
    if (i >= end) {
        return false;
    }
    const char *value = t->lines[i].p + strlen(name) + 1;
    str_copy(out, size, value + strspn(value, " \t"));
    for (i++; i < end && is_folded(&t->lines[i]); i++) {
        size_t used = strlen(out);
        const char *more = t->lines[i].p + strspn(t->lines[i].p, " \t");
        if (used + 1 < size) {
            out[used] = ' ';
            str_copy(out + used + 1, size - used - 1, more);
        }
    }
    return true;
}

static enum status add_line(struct buf *out, const struct textarea_line *line)
{
    enum status st = buf_add(out, line->p, line->len);
    return st == ST_OK ? buf_add_str(out, line->bare_lf ? "\n" : "\r\n") : st;
}

static enum status add_lines(struct buf *out, const struct textarea *t, size_t from, size_t to)
{
    enum status st = ST_OK;
    for (size_t i = from; i < to && st == ST_OK; i++) {
        bool behind_last = i + 1 == t->count && t->lines[i].len == 0;
        st = behind_last ? ST_OK : add_line(out, &t->lines[i]);
    }
    return st;
}

enum status letter_take(struct textarea *t, const char *p, size_t len)
{
    struct textarea body;
    struct buf whole;
    if (letter_has_header(p, len) || textarea_is_empty(t)) {
        return textarea_set(t, p, len);
    }
    buf_init(&whole, BUILT_MAX);
    enum status st = textarea_init(&body);
    if (st == ST_OK) {
        st = textarea_set(&body, p, len); /* its line ends are judged by themselves */
    }
    if (st == ST_OK) {
        st = add_lines(&whole, t, 0, header_end(t));
    }
    if (st == ST_OK) {
        st = buf_add_str(&whole, "\r\n");
    }
    if (st == ST_OK) {
        st = add_lines(&whole, &body, 0, body.count);
    }
    if (st == ST_OK) {
        st = textarea_set(t, whole.p, whole.len);
    }
    textarea_free(&body);
    buf_free(&whole);
    return st;
}

/* MIME-Version and Content-*: they describe the text, and go with it into a part of its own. */
static bool is_about_content(const struct textarea_line *line)
{
    static const char content[] = "Content-";
    struct span begin = {line->p, sizeof(content) - 1};
    return has_name(line, "MIME-Version") ||
           (line->len > begin.len && span_equal_nocase(begin, content));
}

/* Headers of one of the two kinds, with their folded lines. */
static enum status add_headers(struct buf *out, const struct textarea *t, bool about_content)
{
    bool wanted = false;
    enum status st = ST_OK;
    for (size_t i = 0; i < header_end(t) && st == ST_OK; i++) {
        const struct textarea_line *line = &t->lines[i];
        if (!is_folded(line)) {
            wanted = is_about_content(line) == about_content;
            wanted = wanted && !(about_content && has_name(line, "MIME-Version"));
        }
        st = wanted ? add_line(out, line) : ST_OK;
    }
    return st;
}

/* The last line that closes a multipart of ours; 0 when there is none. */
static size_t closing_line(const struct textarea *t, char boundary[MIME_BOUNDARY_MAX + 1])
{
    static const char ours[] = "--=_smtpscope_";
    for (size_t i = t->count; i > 0; i--) {
        const struct textarea_line *line = &t->lines[i - 1];
        size_t begin = sizeof(ours) - 1;
        bool closes = line->len > begin + 2 && line->len <= MIME_BOUNDARY_MAX + 4 &&
                      memcmp(line->p, ours, begin) == 0 &&
                      memcmp(line->p + line->len - 2, "--", 2) == 0;
        if (closes) {
            size_t len = line->len - 4;
            memcpy(boundary, line->p + 2, len);
            boundary[len] = '\0';
            return i - 1;
        }
    }
    return 0;
}

static enum status add_first_part(struct buf *out, const struct textarea *t, const char *boundary)
{
    size_t end = header_end(t);
    enum status st = add_headers(out, t, false);
    if (st == ST_OK) {
        st = buf_addf(out,
                      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"%s\"\r\n"
                      "\r\n--%s\r\n",
                      boundary, boundary);
    }
    if (st == ST_OK) {
        st = add_headers(out, t, true);
    }
    if (st == ST_OK) {
        st = buf_add_str(out, "\r\n");
    }
    return st == ST_OK ? add_lines(out, t, end < t->count ? end + 1 : end, t->count) : st;
}

enum status letter_attach(struct textarea *t, const struct mime_part *part, uint64_t random)
{
    struct buf whole;
    char boundary[MIME_BOUNDARY_MAX + 1];
    size_t row = t->row, at = t->at;
    size_t before = t->count;
    size_t closing = closing_line(t, boundary);
    buf_init(&whole, 2 * BUILT_MAX);
    enum status st = ST_OK;
    if (closing > 0) {
        st = add_lines(&whole, t, 0, closing);
    } else {
        mime_boundary(random, boundary);
        st = add_first_part(&whole, t, boundary);
    }
    if (st == ST_OK) {
        st = mime_part_add(&whole, boundary, part);
    }
    if (st == ST_OK) {
        st = buf_addf(&whole, "--%s--\r\n", boundary);
    }
    if (st == ST_OK && closing > 0) {
        st = add_lines(&whole, t, closing + 1, before);
    }
    if (st == ST_OK) {
        st = textarea_set(t, whole.p, whole.len);
    }
    if (st == ST_OK) {
        textarea_goto(t, row, at);
        t->changed = true;
    }
    buf_free(&whole);
    return st;
}
