#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_name.h"
#include "share_impl.h"

#define EXAMPLE_DOMAIN "example.org"
#define OWN_ROOT "office" /* .example */
#define OWN_WORD OWN_ROOT
#define THEIR_WORD "example"
#define NAMELESS "host0.org0.example" /* where there is no room for a name of its own */
#define WORD_MIN 4    /* shorter ones are found in every sentence */
#define ODD_KEPT 24   /* bytes of an odd label that stay odd */
#define DEPTH_MAX 128 /* labels of a name */

char share_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool share_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (share_lower(c) >= 'a' && share_lower(c) <= 'z');
}

static bool equal_nocase(const char *small, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (small[i] == '\0' || small[i] != share_lower(p[i])) {
            return false;
        }
    }
    return small[len] == '\0';
}

const struct share_pair *share_find(const struct share_pairs *pairs, const char *p, size_t len)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (equal_nocase(pairs->list[i].from, p, len)) {
            return &pairs->list[i];
        }
    }
    return NULL;
}

enum status share_add(struct share_pairs *pairs, const char *from, size_t len, const char *to,
                      bool told)
{
    if (pairs->count == SHARE_NAMES_MAX) {
        return ST_LIMIT;
    }
    struct share_pair *grown = realloc(pairs->list, (pairs->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    pairs->list = grown;
    struct share_pair *pair = &grown[pairs->count];
    *pair = (struct share_pair){str_ndup(from, len), str_dup(to), told};
    if (pair->from == NULL || pair->to == NULL) {
        free(pair->from);
        free(pair->to);
        return ST_NOMEM;
    }
    for (char *c = pair->from; *c != '\0'; c++) {
        *c = share_lower(*c);
    }
    pairs->count++;
    return ST_OK;
}

static void pairs_free(struct share_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->list[i].from);
        free(pairs->list[i].to);
    }
    free(pairs->list);
}

enum status share_safe_new(struct share_safe **out)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? ST_OK : ST_NOMEM;
}

void share_safe_free(struct share_safe *s)
{
    if (s == NULL) {
        return;
    }
    pairs_free(&s->names);
    pairs_free(&s->users);
    pairs_free(&s->words);
    free(s->addresses);
    free(s->domain);
    free(s);
}

static bool ends_in(const char *p, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len > n && p[len - n - 1] == '.' && equal_nocase(end, p + len - n, n);
}

/* The dot that ends the first label, or len. A backslash hides what follows it (RFC 1035 5.1). */
static size_t first_label(const char *p, size_t len)
{
    size_t i = 0;
    while (i < len && p[i] != '.') {
        i += p[i] == '\\' && i + 1 < len ? 2 : 1;
    }
    return i < len ? i : len;
}

static size_t count_labels(const char *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; n++) {
        i += first_label(p + i, len - i) + 1;
    }
    return n;
}

static void tell(struct share_safe *s, const char *from)
{
    s->first[(unsigned char)share_lower(from[0])] = true;
    s->first[(unsigned char)toupper((unsigned char)from[0])] = true;
}

/* Words of a name by which its owner is known, to be found in sentences. */
static enum status add_words(struct share_safe *s, const char *name, const char *to)
{
    size_t len = strlen(name);
    for (size_t at = 0; at < len;) {
        size_t n = first_label(name + at, len - at);
        bool last = at + n >= len;
        bool number = strspn(name + at, "0123456789-") >= n;
        if (n >= WORD_MIN && !last && !number && s->words.count < SHARE_WORDS_MAX &&
            !share_word_is_common(name + at, n) && share_find(&s->words, name + at, n) == NULL) {
            enum status st = share_add(&s->words, name + at, n, to, true);
            if (st != ST_OK) {
                return st;
            }
            tell(s, s->words.list[s->words.count - 1].from);
        }
        at += n + 1;
    }
    return ST_OK;
}

/* What keeps an odd label odd: bytes that no host name has, and hyphens at either end. */
static enum status add_odd(const char *p, size_t len, struct buf *out)
{
    enum status st = ST_OK;
    size_t kept = 0;
    for (size_t i = 0; st == ST_OK && i < len && kept < ODD_KEPT;) {
        size_t n = 1;
        if (p[i] == '\\' && i + 1 < len) {
            n = isdigit((unsigned char)p[i + 1]) && i + 3 < len ? 4 : 2;
        }
        bool edge = p[i] == '-' && (i == 0 || i + 1 == len);
        if (n > 1 || edge || (!share_is_alnum(p[i]) && p[i] != '-')) {
            st = buf_add(out, p + i, n);
            kept += n;
        }
        i += n;
    }
    return st;
}

static unsigned *counter(struct share_safe *s, enum share_role role, const char **base)
{
    switch (role) {
    case SHARE_SERVER:
        *base = "mx";
        return &s->servers;
    case SHARE_OWN:
        *base = "desk";
        return &s->desks;
    case SHARE_OTHER:
        break;
    }
    *base = "host";
    return &s->hosts;
}

/* _dmarc, _25._tcp: part of the protocol, and nobody's name. */
static bool is_service_label(const char *p, size_t len)
{
    static const char *const known[] = {"_dmarc", "_domainkey", "_tcp",         "_udp",
                                        "_smtp",  "_mta-sts",   "_submission",  "_submissions",
                                        "_imap",  "_imaps",     "_autodiscover"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (equal_nocase(known[i], p, len)) {
            return true;
        }
    }
    return len > 1 && p[0] == '_' && strspn(p + 1, "0123456789") >= len - 1;
}

static enum status add_label(struct share_safe *s, const char *p, size_t len, enum share_role role,
                             struct buf *out)
{
    const char *base;
    if ((len == 1 && p[0] == '*') || is_service_label(p, len)) {
        return buf_add(out, p, len);
    }
    unsigned *n = counter(s, role, &base);
    (*n)++;
    enum status st =
        role == SHARE_OWN && *n == 1 ? buf_add_str(out, base) : buf_addf(out, "%s%u", base, *n);
    return st == ST_OK ? add_odd(p, len, out) : st;
}

static enum status map_name(struct share_safe *s, const char *p, size_t len, enum share_role role,
                            unsigned depth, struct buf *out);

/* The last two labels of a name: whose it is. */
static enum status add_root(struct share_safe *s, const char *p, size_t len, enum share_role role,
                            struct buf *out)
{
    enum status st;
    if (role == SHARE_OWN && !s->own_root) {
        s->own_root = true;
        st = buf_add_str(out, OWN_ROOT);
    } else {
        s->orgs++;
        st = buf_addf(out, "org%u", s->orgs);
    }
    if (st == ST_OK) {
        st = add_odd(p, len, out);
    }
    return st == ST_OK ? buf_add_str(out, ".example") : st;
}

/* All labels in front of an end that stays; those that say nothing stay as well. */
static enum status add_before(struct share_safe *s, const char *p, size_t len, enum share_role role,
                              struct buf *out)
{
    enum status st = ST_OK;
    for (size_t at = 0; st == ST_OK && at < len;) {
        size_t n = first_label(p + at, len - at);
        st = share_label_is_common(p + at, n)
                 ? buf_add(out, p + at, n)
                 : add_label(s, p + at, n, at == 0 ? role : SHARE_OTHER, out);
        if (st == ST_OK) {
            st = buf_add_char(out, '.');
        }
        at += n + 1;
    }
    return st;
}

/* "25.2.0.192.in-addr.arpa": the address behind it. */
static bool read_reverse(const char *p, size_t len, struct net_address *a)
{
    char text[80];
    memset(a, 0, sizeof(*a));
    bool v4 = ends_in(p, len, "in-addr.arpa");
    size_t end = strlen(v4 ? "in-addr.arpa" : "ip6.arpa") + 1;
    if ((!v4 && !ends_in(p, len, "ip6.arpa")) || len - end >= sizeof(text)) {
        return false;
    }
    memcpy(text, p, len - end);
    text[len - end] = '\0';
    unsigned b[4];
    int used = 0;
    if (v4) {
        if (sscanf(text, "%3u.%3u.%3u.%3u%n", &b[3], &b[2], &b[1], &b[0], &used) != 4 ||
            text[used] != '\0' || b[0] > 255 || b[1] > 255 || b[2] > 255 || b[3] > 255) {
            return false;
        }
        a->family = 4;
        for (size_t i = 0; i < 4; i++) {
            a->bytes[i] = (uint8_t)b[i];
        }
        return true;
    }
    if (strlen(text) != 63) {
        return false;
    }
    for (size_t i = 0; i < 32; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *at = strchr(digits, share_lower(text[2 * i]));
        if (text[2 * i] == '\0' || at == NULL || (i < 31 && text[2 * i + 1] != '.')) {
            return false;
        }
        a->bytes[15 - i / 2] |= (uint8_t)((at - digits) << (i % 2 * 4));
    }
    a->family = 6;
    return true;
}

static enum status add_address(struct share_safe *s, const struct net_address *a, bool reverse,
                               struct buf *out)
{
    struct net_address example;
    char text[DNS_NAME_MAX];
    enum status st = share_safe_address(s, a, &example);
    if (reverse) {
        dns_reverse_name(&example, text, sizeof(text));
    } else {
        net_address_format(&example, text, sizeof(text));
    }
    return st == ST_OK ? buf_add_str(out, text) : st;
}

/* Names that are none: addresses, numbers, the root. False: not one of these. */
static bool map_odd_name(struct share_safe *s, const char *p, size_t len, struct buf *out,
                         enum status *st)
{
    char text[NET_ADDRESS_TEXT];
    struct net_address a;
    *st = ST_OK;
    if (read_reverse(p, len, &a)) {
        *st = add_address(s, &a, true, out);
        return true;
    }
    if (len > 0 && len < sizeof(text)) {
        memcpy(text, p, len);
        text[len] = '\0';
        if (net_address_parse(text, &a)) {
            *st = add_address(s, &a, false, out);
            return true;
        }
    }
    if (strspn(p, "0123456789.") >= len || equal_nocase("localhost", p, len) ||
        equal_nocase("in-addr.arpa", p, len) || equal_nocase("ip6.arpa", p, len)) {
        *st = buf_add(out, p, len);
        return true;
    }
    return false;
}

static enum status make_name(struct share_safe *s, const char *p, size_t len, enum share_role role,
                             unsigned depth, struct buf *out)
{
    size_t kept = share_kept_suffix(p, len);
    /* Parents have the same owner, but only the first label is that of a host. */
    enum share_role label = depth == 0 ? role : SHARE_OTHER;
    /* Whose domain it is that was tested must not be told by what stays. */
    bool own =
        s->domain != NULL && kept > 0 &&
        (ends_in(p + len - kept, kept, s->domain) || equal_nocase(s->domain, p + len - kept, kept));
    if (kept > 0 && !own) {
        enum status st = kept < len ? add_before(s, p, len - kept - 1, label, out) : ST_OK;
        return st == ST_OK ? buf_add(out, p + len - kept, kept) : st;
    }
    size_t n = first_label(p, len);
    if (n == len) {
        return add_label(s, p, len, label, out);
    }
    const char *rest = p + n + 1;
    size_t rest_len = len - n - 1;
    if (count_labels(rest, rest_len) < 2 && !(rest_len > 0 && rest[0] == '\\')) {
        return add_root(s, p, n, role, out);
    }
    enum status st = add_label(s, p, n, label, out);
    if (st == ST_OK) {
        st = buf_add_char(out, '.');
    }
    return st == ST_OK ? map_name(s, rest, rest_len, role, depth + 1, out) : st;
}

/* `p` has no final dot. */
static enum status map_name(struct share_safe *s, const char *p, size_t len, enum share_role role,
                            unsigned depth, struct buf *out)
{
    enum status st;
    struct buf made;
    const struct share_pair *known = share_find(&s->names, p, len);
    if (known != NULL) {
        return buf_add_str(out, known->to);
    }
    if (len == 0 || map_odd_name(s, p, len, out, &st)) {
        return len == 0 ? ST_OK : st;
    }
    if (depth >= DEPTH_MAX || s->names.count == SHARE_NAMES_MAX) {
        return buf_add_str(out, NAMELESS);
    }
    buf_init(&made, DNS_NAME_MAX * 2);
    st = make_name(s, p, len, role, depth, &made);
    if (st == ST_OK && made.len > DNS_HOST_NAME_MAX) {
        buf_clear(&made);
        st = buf_add_str(&made, NAMELESS);
    }
    if (st == ST_OK) {
        st = share_add(&s->names, p, len, buf_str(&made), false);
    }
    if (st == ST_LIMIT) {
        /* It is too long, or its parents have taken the last place. */
        buf_clear(&made);
        st = buf_add_str(&made, NAMELESS);
    }
    if (st == ST_OK) {
        st = buf_add(out, buf_str(&made), made.len);
    }
    buf_free(&made);
    return st;
}

static size_t length_of(const char *name)
{
    size_t len = strlen(name);
    return len > 1 && name[len - 1] == '.' && name[len - 2] != '\\' ? len - 1 : len;
}

enum status share_safe_name(struct share_safe *s, const char *name, struct buf *out)
{
    if (strcmp(name, ".") == 0) {
        return buf_add_char(out, '.');
    }
    return map_name(s, name, length_of(name), SHARE_OTHER, 0, out);
}

/* What is told is found everywhere from now on. */
static void mark_told(struct share_safe *s, const char *p, size_t len)
{
    for (size_t i = 0; i < s->names.count; i++) {
        struct share_pair *pair = &s->names.list[i];
        if (equal_nocase(pair->from, p, len)) {
            pair->told = strchr(pair->from, '.') != NULL;
            tell(s, pair->from);
        }
    }
}

enum status share_safe_domain(struct share_safe *s, const char *domain)
{
    if (domain == NULL || domain[0] == '\0' || s->domain != NULL) {
        return ST_OK;
    }
    size_t len = length_of(domain);
    struct net_address a;
    if (net_address_parse(domain, &a)) {
        return ST_OK;
    }
    s->domain = str_ndup(domain, len);
    if (s->domain == NULL) {
        return ST_NOMEM;
    }
    for (char *c = s->domain; *c != '\0'; c++) {
        *c = share_lower(*c);
    }
    enum status st = share_add(&s->names, domain, len, EXAMPLE_DOMAIN, true);
    mark_told(s, domain, len);
    return st == ST_OK ? add_words(s, s->domain, THEIR_WORD) : st;
}

enum status share_safe_host(struct share_safe *s, const char *name, enum share_role role)
{
    struct buf ignored;
    struct net_address a;
    if (name == NULL || name[0] == '\0' || strcmp(name, ".") == 0 || net_address_parse(name, &a)) {
        return ST_OK;
    }
    size_t len = length_of(name);
    buf_init(&ignored, DNS_NAME_MAX * 2);
    enum status st = map_name(s, name, len, role, 0, &ignored);
    bool stays = equal_nocase(buf_str(&ignored), name, len);
    buf_free(&ignored);
    if (st != ST_OK || stays) {
        return st;
    }
    mark_told(s, name, len);
    if (strchr(name, '.') == NULL) {
        /* A machine that calls itself by one word. */
        const struct share_pair *pair = share_find(&s->names, name, len);
        if (pair != NULL && s->words.count < SHARE_WORDS_MAX &&
            share_find(&s->words, name, len) == NULL) {
            st = share_add(&s->words, name, len, pair->to, true);
            tell(s, pair->from);
        }
        return st;
    }
    return share_kept_suffix(name, len) > 0
               ? ST_OK
               : add_words(s, name, role == SHARE_OWN ? OWN_WORD : THEIR_WORD);
}

enum status share_safe_dynamic_name(struct share_safe *s, const char *name,
                                    const struct net_address *a)
{
    struct net_address example;
    char text[NET_ADDRESS_TEXT + 40];
    if (name == NULL || share_find(&s->names, name, length_of(name)) != NULL) {
        return ST_OK;
    }
    enum status st = share_safe_address(s, a, &example);
    const uint8_t *b = example.bytes;
    snprintf(text, sizeof(text), "ip-%u-%u-%u-%u.dyn.provider.example", b[0], b[1],
             example.family == 4 ? b[2] : b[14], example.family == 4 ? b[3] : b[15]);
    if (st == ST_OK) {
        st = share_add(&s->names, name, length_of(name), text, true);
    }
    if (st == ST_OK) {
        mark_told(s, name, length_of(name));
        st = add_words(s, name, OWN_WORD);
    }
    return st;
}

static enum status add_user(struct share_safe *s, const char *p, size_t len, struct buf *out)
{
    char text[24];
    const struct share_pair *known = share_find(&s->users, p, len);
    if (known != NULL) {
        return buf_add_str(out, known->to);
    }
    if (len == 0 || share_local_part_stays(p, len)) {
        return buf_add(out, p, len);
    }
    if (s->users.count == SHARE_NAMES_MAX) {
        return buf_add_str(out, "user-0");
    }
    s->people++;
    snprintf(text, sizeof(text), "user-%u", s->people);
    enum status st = share_add(&s->users, p, len, text, false);
    return st == ST_OK ? buf_add_str(out, text) : st;
}

/* "relay-check%example.net": an old way to write a second domain into a local part. */
static enum status add_local_part(struct share_safe *s, const char *p, size_t len, struct buf *out)
{
    const char *percent = memrchr(p, '%', len);
    if (percent == NULL || percent == p) {
        return add_user(s, p, len, out);
    }
    size_t n = (size_t)(percent - p);
    enum status st = add_user(s, p, n, out);
    if (st == ST_OK) {
        st = buf_add_char(out, '%');
    }
    return st == ST_OK ? map_name(s, percent + 1, len - n - 1, SHARE_OTHER, 0, out) : st;
}

enum status share_safe_mailbox(struct share_safe *s, const char *p, size_t len, struct buf *out)
{
    const char *at = len > 0 ? memrchr(p, '@', len) : NULL;
    if (at == NULL) {
        return add_local_part(s, p, len, out);
    }
    size_t n = (size_t)(at - p);
    enum status st = add_local_part(s, p, n, out);
    if (st == ST_OK) {
        st = buf_add_char(out, '@');
    }
    const char *domain = at + 1;
    size_t rest = len - n - 1;
    if (st == ST_OK && rest > 0 && domain[0] == '[') {
        return share_safe_text(s, domain, rest, SHARE_KEYWORDS, out);
    }
    return st == ST_OK ? map_name(s, domain, rest, SHARE_OTHER, 0, out) : st;
}

enum status share_safe_user(struct share_safe *s, const char *user)
{
    struct buf example;
    if (user == NULL || user[0] == '\0') {
        return ST_OK;
    }
    const char *at = strrchr(user, '@');
    size_t len = at != NULL ? (size_t)(at - user) : strlen(user);
    buf_init(&example, DNS_NAME_MAX);
    enum status st = add_user(s, user, len, &example);
    /* A short or common one would be found in every sentence. */
    if (st == ST_OK && len >= WORD_MIN && s->words.count < SHARE_WORDS_MAX &&
        !share_word_is_common(user, len) && !share_local_part_stays(user, len) &&
        share_find(&s->words, user, len) == NULL) {
        st = share_add(&s->words, user, len, buf_str(&example), true);
        if (st == ST_OK) {
            tell(s, s->words.list[s->words.count - 1].from);
        }
    }
    buf_free(&example);
    return st == ST_OK && at != NULL ? share_safe_host(s, at + 1, SHARE_OTHER) : st;
}
