#include <stdio.h>
#include <string.h>

#include "queue_id.h"
#include "share_impl.h"

#define ID_LEN_MIN 8    /* shorter ones may be words with a number */
#define ID_TURNS_MIN 2  /* from letters to digits and back */
#define ID_DIGITS_MIN 9 /* of a run of digits alone: below are sizes, limits and times */
#define TOLD_LEN_MIN 4  /* a name as short as that is only looked for by its form */
#define RUN_MAX 512     /* of what is looked at as one word: no name or mailbox is longer */

/* A text on its way: what stands before `done` is out. */
struct scan {
    struct share_safe *s;
    const char *p;
    size_t len, done;
    unsigned flags;
    struct span id; /* a message's name, as the server's words tell it */
    struct buf *out;
};

/* *used > 0: that many bytes were replaced. */
typedef enum status scanner(struct scan *x, size_t at, size_t *used);

static bool is_name_byte(char c)
{
    return share_is_alnum(c) || c == '-' || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

/* RFC 5322 3.2.3, and RFC 6531. */
static bool is_local_byte(char c)
{
    return is_name_byte(c) || (c != '\0' && strchr("!#$%&'*+/=?^`{|}~", c) != NULL);
}

static size_t run_of(const struct scan *x, size_t at, bool (*takes)(char c))
{
    size_t n = 0;
    while (at + n < x->len && n < RUN_MAX && takes(x->p[at + n])) {
        n++;
    }
    return n;
}

static enum status flush(struct scan *x, size_t at)
{
    enum status st = at > x->done ? buf_add(x->out, x->p + x->done, at - x->done) : ST_OK;
    x->done = at;
    return st;
}

/* Length of the domain name that begins here, by its form: 0 for none. */
static size_t name_len(const struct scan *x, size_t at)
{
    size_t n = run_of(x, at, is_name_byte);
    while (n > 0 && (x->p[at + n - 1] == '.' || x->p[at + n - 1] == '-')) {
        n--; /* the end of a sentence */
    }
    size_t dot = n;
    while (dot > 0 && x->p[at + dot - 1] != '.') {
        dot--;
    }
    if (dot < 2 || memmem(x->p + at, n, "..", 2) != NULL) {
        return 0;
    }
    const char *tld = x->p + at + dot;
    size_t tld_len = n - dot;
    bool known = share_tld_is_known(tld, tld_len);
    for (size_t i = 0; !known && i < x->s->names.count; i++) {
        const struct share_pair *pair = &x->s->names.list[i];
        const char *last = pair->told ? strrchr(pair->from, '.') : NULL;
        struct span own = {tld, tld_len};
        known = last != NULL && span_equal_nocase(own, last + 1);
    }
    return known ? n : 0;
}

static enum status scan_mailbox(struct scan *x, size_t at, size_t *used)
{
    size_t local = run_of(x, at, is_local_byte);
    if (local == 0 || at + local >= x->len || x->p[at + local] != '@') {
        return ST_OK;
    }
    size_t domain = at + local + 1;
    size_t n = run_of(x, domain, is_name_byte);
    while (n > 0 && (x->p[domain + n - 1] == '.' || x->p[domain + n - 1] == '-')) {
        n--;
    }
    if (n == 0 && (domain >= x->len || x->p[domain] != '[')) {
        return ST_OK;
    }
    enum status st = flush(x, at);
    if (st == ST_OK && n > 0) {
        st = share_safe_mailbox(x->s, x->p + at, local + 1 + n, x->out);
        *used = local + 1 + n;
    } else if (st == ST_OK) {
        /* The address behind the bracket is found by its form. */
        st = share_safe_mailbox(x->s, x->p + at, local, x->out);
        *used = local;
    }
    return st;
}

static enum status scan_name(struct scan *x, size_t at, size_t *used)
{
    char name[RUN_MAX + 1];
    size_t n = name_len(x, at);
    if (n == 0) {
        return ST_OK;
    }
    memcpy(name, x->p + at, n);
    name[n] = '\0';
    enum status st = flush(x, at);
    *used = n;
    return st == ST_OK ? share_safe_name(x->s, name, x->out) : st;
}

static bool is_ip6_byte(char c)
{
    char l = share_lower(c);
    return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'f') || c == ':' || c == '.';
}

static bool is_ip4_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

static bool is_dashed_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-';
}

static enum status put_address(struct scan *x, size_t at, const struct net_address *a, bool dashed)
{
    struct net_address example;
    char text[NET_ADDRESS_TEXT];
    enum status st = flush(x, at);
    if (st == ST_OK) {
        st = share_safe_address(x->s, a, &example);
    }
    if (st != ST_OK) {
        return st;
    }
    net_address_format(&example, text, sizeof(text));
    for (char *c = text; dashed && *c != '\0'; c++) {
        *c = *c == '.' ? '-' : *c;
    }
    return buf_add_str(x->out, text);
}

/* An address that takes the whole of a run of such bytes, but for dots and colons of the sentence.
 */
static enum status scan_address_of(struct scan *x, size_t at, bool (*takes)(char c), size_t *used)
{
    char text[NET_ADDRESS_TEXT];
    struct net_address a;
    bool dashed = takes == is_dashed_byte;
    size_t n = run_of(x, at, takes);
    while (n > 0 && strchr(".:-", x->p[at + n - 1]) != NULL &&
           !(n > 1 && x->p[at + n - 1] == ':' && x->p[at + n - 2] == ':')) {
        n--;
    }
    if (n < 2 || n >= sizeof(text)) {
        return ST_OK;
    }
    for (size_t i = 0; i < n; i++) {
        text[i] = dashed && x->p[at + i] == '-' ? '.' : x->p[at + i];
    }
    text[n] = '\0';
    if (!net_address_parse(text, &a) || (takes != is_ip6_byte && a.family != 4)) {
        return ST_OK;
    }
    *used = n;
    return put_address(x, at, &a, dashed);
}

static enum status scan_address(struct scan *x, size_t at, size_t *used)
{
    enum status st = scan_address_of(x, at, is_ip6_byte, used);
    if (st == ST_OK && *used == 0) {
        st = scan_address_of(x, at, is_ip4_byte, used);
    }
    if (st == ST_OK && *used == 0) {
        st = scan_address_of(x, at, is_dashed_byte, used);
    }
    return st;
}

/* 4ABC12 and 1700000000 name something; SHA256 and 5321 do not. */
static bool looks_like_id(const char *p, size_t len)
{
    size_t turns = 0, digits = 0;
    for (size_t i = 0; i < len; i++) {
        bool digit = p[i] >= '0' && p[i] <= '9';
        digits += digit ? 1 : 0;
        turns += i > 0 && digit != (p[i - 1] >= '0' && p[i - 1] <= '9') ? 1 : 0;
    }
    return (len >= ID_LEN_MIN && turns >= ID_TURNS_MIN) || (digits == len && len >= ID_DIGITS_MIN);
}

static enum status put_shape(struct scan *x, size_t at, size_t len)
{
    enum status st = flush(x, at);
    for (size_t i = 0; st == ST_OK && i < len; i++) {
        char c = x->p[at + i];
        if (c >= '0' && c <= '9') {
            c = '0';
        } else if (share_is_alnum(c)) {
            c = c == share_lower(c) ? 'a' : 'A';
        }
        st = buf_add_char(x->out, c);
    }
    return st;
}

static enum status scan_id(struct scan *x, size_t at, size_t *used)
{
    if ((x->flags & SHARE_KEYWORDS) != 0) {
        return ST_OK;
    }
    size_t n = x->id.len;
    if (n > 0 && x->len - at >= n && memcmp(x->p + at, x->id.p, n) == 0) {
        *used = n;
        return put_shape(x, at, n);
    }
    n = run_of(x, at, share_is_alnum);
    if (!looks_like_id(x->p + at, n)) {
        return ST_OK;
    }
    *used = n;
    return put_shape(x, at, n);
}

static const struct share_pair *longest_at(const struct share_pairs *pairs, const struct scan *x,
                                           size_t at, bool whole)
{
    const struct share_pair *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        const struct share_pair *pair = &pairs->list[i];
        size_t n = strlen(pair->from);
        if (!pair->told || n <= longest || n > x->len - at || (!whole && n < TOLD_LEN_MIN)) {
            continue;
        }
        struct span here = {x->p + at, n};
        bool ends = at + n == x->len || !share_is_alnum(x->p[at + n]);
        if (span_equal_nocase(here, pair->from) && (ends || !whole)) {
            found = pair;
            longest = n;
        }
    }
    return found;
}

static enum status put_pair(struct scan *x, size_t at, const struct share_pair *pair, size_t *used)
{
    enum status st = flush(x, at);
    *used = strlen(pair->from);
    return st == ST_OK ? buf_add_str(x->out, pair->to) : st;
}

/* A single word by which somebody is known. */
static enum status scan_word(struct scan *x, size_t at, size_t *used)
{
    const struct share_pair *pair = longest_at(&x->s->words, x, at, true);
    return pair != NULL ? put_pair(x, at, pair, used) : ST_OK;
}

/* Anywhere, also inside of what is no word. */
static enum status scan_told(struct scan *x, size_t at, size_t *used)
{
    if (!x->s->first[(unsigned char)x->p[at]]) {
        return ST_OK;
    }
    const struct share_pair *pair = longest_at(&x->s->names, x, at, false);
    return pair != NULL ? put_pair(x, at, pair, used) : ST_OK;
}

/* A place at which a word may begin. */
static enum status scan_here(struct scan *x, size_t at, size_t *used)
{
    static scanner *const scanners[] = {scan_mailbox, scan_name, scan_address,
                                        scan_told,    scan_word, scan_id};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && *used == 0 && i < ARRAY_LEN(scanners); i++) {
        st = scanners[i](x, at, used);
    }
    return st;
}

enum status share_safe_text(struct share_safe *s, const char *p, size_t len, unsigned flags,
                            struct buf *out)
{
    char id[QUEUE_ID_MAX] = "";
    struct scan x = {.s = s, .p = p, .len = len, .flags = flags, .out = out};
    if ((flags & SHARE_KEYWORDS) == 0 && queue_id_find((struct span){p, len}, id)) {
        x.id = span_of(id);
    }
    enum status st = ST_OK;
    for (size_t at = 0; st == ST_OK && at < len;) {
        size_t used = 0;
        bool begins = at == 0 || x.done == at || !share_is_alnum(p[at - 1]);
        if (begins && (share_is_alnum(p[at]) || p[at] == ':' || (unsigned char)p[at] >= 0x80)) {
            st = scan_here(&x, at, &used);
        }
        if (st == ST_OK && used == 0) {
            st = scan_told(&x, at, &used);
        }
        if (used > 0) {
            x.done = at + used;
        }
        at += used > 0 ? used : 1;
    }
    return st == ST_OK ? flush(&x, len) : st;
}
