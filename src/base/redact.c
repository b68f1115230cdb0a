#include "redact.h"

#include <stdio.h>
#include <string.h>

#include "base64.h"

/* A shorter needle would blank ordinary words. */
#define NEEDLE_MIN 4
/* The longest form of the longest secret: every byte as %XX, or a SASL token with a user name. */
#define NEEDLE_MAX (4 * (SECRET_MAX + 1024))

enum status redactor_add_bytes(struct redactor *r, const char *p, size_t len)
{
    if (len < NEEDLE_MIN) {
        return ST_OK;
    }
    for (size_t i = 0; i < r->count; i++) {
        if (r->needle[i].len == len && memcmp(r->needle[i].p, p, len) == 0) {
            return ST_OK;
        }
    }
    if (r->count == REDACT_MAX_NEEDLES || len > NEEDLE_MAX) {
        return ST_LIMIT;
    }
    struct secret *slot = &r->needle[r->count];
    slot->p = NULL;
    slot->len = slot->mapped = 0;
    enum status st = secret_set_any(slot, p, len);
    if (st == ST_OK) {
        r->count++;
    }
    return st;
}

static enum status add_hex(struct redactor *r, const struct secret *s, const char *digits)
{
    struct buf b;
    buf_init(&b, NEEDLE_MAX);
    enum status st = ST_OK;
    for (size_t i = 0; i < s->len && st == ST_OK; i++) {
        unsigned char c = (unsigned char)s->p[i];
        char two[2] = {digits[c >> 4], digits[c & 15]};
        st = buf_add(&b, two, 2);
    }
    if (st == ST_OK) {
        st = redactor_add_bytes(r, buf_str(&b), b.len);
    }
    buf_wipe(&b);
    return st;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

/* RFC 3986 2.1; both cases of the digits are in use. */
static enum status add_percent(struct redactor *r, const struct secret *s, const char *digits)
{
    struct buf b;
    buf_init(&b, NEEDLE_MAX);
    enum status st = ST_OK;
    for (size_t i = 0; i < s->len && st == ST_OK; i++) {
        unsigned char c = (unsigned char)s->p[i];
        if (is_unreserved(c)) {
            st = buf_add_char(&b, (char)c);
        } else {
            char three[3] = {'%', digits[c >> 4], digits[c & 15]};
            st = buf_add(&b, three, 3);
        }
    }
    if (st == ST_OK) {
        st = redactor_add_bytes(r, buf_str(&b), b.len);
    }
    buf_wipe(&b);
    return st;
}

/*
 * What base64 looks like when the secret begins `offset` bytes into a group of three. The
 * characters that mix in bits of neighbours which we do not know are left away at both ends.
 */
static enum status add_base64_at(struct redactor *r, const struct secret *s, size_t offset)
{
    static const size_t unknown_front[] = {0, 2, 3};
    struct buf raw, text;
    buf_init(&raw, NEEDLE_MAX);
    buf_init(&text, NEEDLE_MAX);
    enum status st = buf_add(&raw, "\0\0", offset);
    if (st == ST_OK) {
        st = buf_add(&raw, s->p, s->len);
    }
    if (st == ST_OK) {
        st = base64_encode(&text, raw.p, raw.len);
    }
    if (st == ST_OK) {
        size_t end = (raw.len / 3) * 4 + (raw.len % 3);
        size_t begin = unknown_front[offset];
        if (end > begin) {
            st = redactor_add_bytes(r, text.p + begin, end - begin);
        }
    }
    buf_wipe(&raw);
    buf_wipe(&text);
    return st;
}

static enum status add_base64(struct redactor *r, const struct buf *raw)
{
    struct buf text;
    buf_init(&text, NEEDLE_MAX);
    enum status st = base64_encode(&text, buf_str(raw), raw->len);
    if (st == ST_OK) {
        st = redactor_add_bytes(r, buf_str(&text), text.len);
    }
    buf_wipe(&text);
    return st;
}

/* One SASL initial response: user and secret between fixed pieces, in base64. */
struct token_form {
    const char *before;
    size_t before_len;
    bool user_twice; /* PLAIN with the authorization identity spelled out */
    const char *between;
    size_t between_len;
    const char *after;
    size_t after_len;
};

#define PIECE(text) text, sizeof(text) - 1
static const struct token_form token_forms[] = {
    /* PLAIN, RFC 4616 section 2 */
    {PIECE("\0"), false, PIECE("\0"), PIECE("")},
    {PIECE(""), true, PIECE("\0"), PIECE("")},
    /* XOAUTH2 */
    {PIECE("user="), false, PIECE("\1auth=Bearer "), PIECE("\1\1")},
    /* OAUTHBEARER, RFC 7628 section 3.1, without the optional host and port */
    {PIECE("n,a="), false, PIECE(",\1auth=Bearer "), PIECE("\1\1")},
};
#undef PIECE

static enum status add_token(struct redactor *r, const struct token_form *form, const char *user,
                             const struct secret *s)
{
    struct buf raw;
    buf_init(&raw, NEEDLE_MAX);
    enum status st = buf_add(&raw, form->before, form->before_len);
    if (st == ST_OK && form->user_twice) {
        st = buf_add(&raw, user, strlen(user) + 1);
    }
    if (st == ST_OK) {
        st = buf_add_str(&raw, user);
    }
    if (st == ST_OK) {
        st = buf_add(&raw, form->between, form->between_len);
    }
    if (st == ST_OK) {
        st = buf_add(&raw, s->p, s->len);
    }
    if (st == ST_OK) {
        st = buf_add(&raw, form->after, form->after_len);
    }
    if (st == ST_OK) {
        st = add_base64(r, &raw);
    }
    buf_wipe(&raw);
    return st;
}

enum status redactor_add(struct redactor *r, const char *user, const struct secret *s)
{
    if (!secret_is_set(s) || s->len == 0) {
        return ST_OK;
    }
    enum status st = redactor_add_bytes(r, s->p, s->len);
    for (size_t offset = 0; offset < 3 && st == ST_OK; offset++) {
        st = add_base64_at(r, s, offset);
    }
    if (st == ST_OK) {
        /* The second line of LOGIN, padding and all. */
        const struct buf raw = {.p = s->p, .len = s->len};
        st = add_base64(r, &raw);
    }
    if (st == ST_OK) {
        st = add_hex(r, s, "0123456789abcdef");
    }
    if (st == ST_OK) {
        st = add_hex(r, s, "0123456789ABCDEF");
    }
    if (st == ST_OK) {
        st = add_percent(r, s, "0123456789ABCDEF");
    }
    if (st == ST_OK) {
        st = add_percent(r, s, "0123456789abcdef");
    }
    for (size_t i = 0; user != NULL && i < ARRAY_LEN(token_forms) && st == ST_OK; i++) {
        st = add_token(r, &token_forms[i], user, s);
    }
    return st;
}

/* Length of the longest needle that begins at p, or 0. */
static size_t longest_match(const struct redactor *r, const char *p, size_t len)
{
    size_t best = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct secret *n = &r->needle[i];
        if (n->len > best && n->len <= len && memcmp(n->p, p, n->len) == 0) {
            best = n->len;
        }
    }
    return best;
}

enum status redactor_apply(const struct redactor *r, const char *p, size_t len, struct buf *out)
{
    bool begins[256] = {false};
    for (size_t i = 0; i < r->count; i++) {
        begins[(unsigned char)r->needle[i].p[0]] = true;
    }
    size_t shown = 0; /* everything before it is in `out` */
    size_t i = 0;
    while (i < len) {
        size_t hit = begins[(unsigned char)p[i]] ? longest_match(r, p + i, len - i) : 0;
        if (hit == 0) {
            i++;
            continue;
        }
        /* Needles may overlap: the tail of the second must not stay behind. */
        size_t end = i + hit;
        for (size_t k = i + 1; k < end; k++) {
            size_t more = begins[(unsigned char)p[k]] ? longest_match(r, p + k, len - k) : 0;
            if (k + more > end) {
                end = k + more;
            }
        }
        enum status st = buf_add(out, p + shown, i - shown);
        if (st == ST_OK) {
            st = buf_addf(out, "<hidden %zu bytes>", end - i);
        }
        if (st != ST_OK) {
            return st;
        }
        shown = i = end;
    }
    return buf_add(out, p + shown, len - shown);
}

void redactor_free(struct redactor *r)
{
    for (size_t i = 0; i < r->count; i++) {
        secret_free(&r->needle[i]);
    }
    r->count = 0;
}
