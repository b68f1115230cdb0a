#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "plan.h"
#include "text.h"

#define TARGET_MAX 1024 /* what is longer is no target, and would not fit on any screen */
#define SHOWN_MAX 80
#define PORT_MAX 65535

/* What a target says, before any of it goes into the plan. */
struct parsed {
    char *domain, *domain_shown, *host;
    uint16_t port;
    bool has_tls;
    enum plan_tls tls;
};

struct scheme {
    const char *name;
    uint16_t port; /* 0: the plan's */
    bool has_tls;
    enum plan_tls tls;
};

/* RFC 8314 7.3 for submissions; smtp and smtps are what people and other programs write. */
static const struct scheme schemes[] = {
    {"smtp", 0, false, PLAN_TLS_AUTO},
    {"smtps", 465, true, PLAN_TLS_IMPLICIT},
    {"submission", 587, true, PLAN_TLS_STARTTLS},
    {"submissions", 465, true, PLAN_TLS_IMPLICIT},
};

static void parsed_free(struct parsed *t)
{
    free(t->domain);
    free(t->domain_shown);
    free(t->host);
    memset(t, 0, sizeof(*t));
}

/* For sentences: the piece that is wrong, safe to show. */
struct shown {
    char text[SHOWN_MAX];
};

static struct shown show(const char *p, size_t len)
{
    struct shown s;
    escape_copy(s.text, sizeof(s.text), p, len, 0);
    return s;
}

/* One address as the whole of p[0..len). */
static bool parse_literal(const char *p, size_t len, struct net_address *out)
{
    char text[NET_ADDRESS_TEXT];
    if (len == 0 || len >= sizeof(text)) {
        return false;
    }
    memcpy(text, p, len);
    text[len] = '\0';
    return net_address_parse(text, out);
}

static enum status parse_port(const char *p, size_t len, uint16_t *port, struct error *error)
{
    unsigned long n = 0;
    if (len == 0) {
        return error_set(error, ST_INVALID, 0,
                         _("The port behind the colon is missing; 25, 465 and 587 are usual."));
    }
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return error_set(error, ST_INVALID, 0,
                             _("\"%s\" is no port number; 25, 465 and 587 are "
                               "usual."),
                             show(p, len).text);
        }
        n = n * 10 + (unsigned long)(p[i] - '0');
        if (n > PORT_MAX) {
            return error_set(error, ST_INVALID, 0, _("Port %s is too large; %d is the last one."),
                             show(p, len).text, PORT_MAX);
        }
    }
    if (n == 0) {
        return error_set(error, ST_INVALID, 0, _("Port 0 cannot be connected to."));
    }
    *port = (uint16_t)n;
    return ST_OK;
}

/* Text that only digits and dots make up was meant as an address: no top-level domain is a number.
 */
static bool looks_numeric(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((p[i] < '0' || p[i] > '9') && p[i] != '.') {
            return false;
        }
    }
    return len > 0;
}

static bool is_ascii(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static enum status not_a_name(const char *p, size_t len, struct error *error)
{
    size_t label = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && p[i] != '.') {
            continue;
        }
        if (i == label) {
            return error_set(error, ST_INVALID, 0,
                             _("\"%s\" has an empty part: two dots in a row, or one at the front."),
                             show(p, len).text);
        }
        if (i - label > DNS_LABEL_MAX) {
            return error_set(error, ST_INVALID, 0,
                             _("The part \"%s\" is %zu bytes long; a domain name may have %d "
                               "between two dots."),
                             show(p + label, i - label).text, i - label, DNS_LABEL_MAX);
        }
        if (p[label] == '-' || p[i - 1] == '-') {
            return error_set(
                error, ST_INVALID, 0,
                _("The part \"%s\" begins or ends with a hyphen, which no host name may."),
                show(p + label, i - label).text);
        }
        label = i + 1;
    }
    if (len > DNS_HOST_NAME_MAX) {
        return error_set(error, ST_INVALID, 0, _("The name is %zu bytes long; %d are allowed."),
                         len, DNS_HOST_NAME_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        bool good = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'z') ||
                    (p[i] >= 'A' && p[i] <= 'Z') || strchr("-_.", p[i]) != NULL;
        if (!good) {
            return error_set(error, ST_INVALID, 0,
                             _("\"%s\" may not stand in a domain name (position %zu of \"%s\")."),
                             show(p + i, 1).text, i + 1, show(p, len).text);
        }
    }
    return error_set(error, ST_INVALID, 0, _("\"%s\" is no domain name."), show(p, len).text);
}

/* The A-label form, in lower case, and the form that people read. */
static enum status parse_name(const char *p, size_t len, char **ascii, char **shown,
                              struct error *error)
{
    enum status st = ST_NOMEM;
    char *to_ascii = NULL;
    char *to_shown = NULL;
    if (len > 1 && p[len - 1] == '.') {
        len--; /* the root's dot says nothing new */
    }
    char *text = str_ndup(p, len);
    if (text == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
    }
    if (len == 0) {
        st = error_set(error, ST_INVALID, 0, _("There is no name."));
        goto out;
    }
    if (looks_numeric(p, len)) {
        st = error_set(
            error, ST_INVALID, 0,
            _("\"%s\" is no IPv4 address; one looks like 192.0.2.25, four numbers from 0 to "
              "255."),
            show(p, len).text);
        goto out;
    }
    if (is_ascii(p, len)) {
        to_ascii = str_dup(text);
        for (char *c = to_ascii; c != NULL && *c != '\0'; c++) {
            if (*c >= 'A' && *c <= 'Z') {
                *c = (char)(*c - 'A' + 'a');
            }
        }
    } else {
        int rc = idn2_to_ascii_8z(text, &to_ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
        if (rc != IDN2_OK) {
            st = error_set(error, ST_INVALID, 0,
                           _("\"%s\" cannot be turned into a domain name: %s."),
                           show(p, len).text, idn2_strerror(rc));
            goto out;
        }
    }
    if (to_ascii == NULL) {
        st = error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
        goto out;
    }
    if (!dns_name_is_host(to_ascii, true)) {
        st = not_a_name(to_ascii, strlen(to_ascii), error);
        goto out;
    }
    /* "xn--" labels that mean nothing are shown as they are. */
    if (idn2_to_unicode_8z8z(to_ascii, &to_shown, 0) != IDN2_OK) {
        to_shown = NULL;
    }
    *ascii = str_dup(to_ascii);
    *shown = str_dup(to_shown != NULL ? to_shown : to_ascii);
    if (*ascii == NULL || *shown == NULL) {
        free(*ascii);
        free(*shown);
        *ascii = *shown = NULL;
        st = error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
        goto out;
    }
    st = ST_OK;
out:
    idn2_free(to_ascii);
    idn2_free(to_shown);
    free(text);
    return st;
}

static enum status set_literal(struct parsed *t, const struct net_address *a, struct error *error)
{
    char text[NET_ADDRESS_TEXT];
    net_address_format(a, text, sizeof(text));
    t->host = str_dup(text);
    return t->host != NULL ? ST_OK
                           : error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
}

/* "[2001:db8::1]", "[192.0.2.1]:25", "[IPv6:2001:db8::1]" */
static enum status parse_bracketed(struct parsed *t, const char *p, size_t len, struct error *error)
{
    const char *close = memchr(p, ']', len);
    struct net_address a;
    if (close == NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("The bracket of \"%s\" is never closed; write [2001:db8::1]:25."),
                         show(p, len).text);
    }
    size_t inner = (size_t)(close - p) + 1;
    if (!parse_literal(p, inner, &a)) {
        return error_set(error, ST_INVALID, 0,
                         _("\"%s\" is no IP address; names stand without brackets."),
                         show(p + 1, inner - 2).text);
    }
    if (inner < len) {
        if (p[inner] != ':') {
            return error_set(error, ST_INVALID, 0,
                             _("Behind the bracket only a colon and a port may stand, not \"%s\"."),
                             show(p + inner, len - inner).text);
        }
        enum status st = parse_port(p + inner + 1, len - inner - 1, &t->port, error);
        if (st != ST_OK) {
            return st;
        }
    }
    return set_literal(t, &a, error);
}

/* A host or an address, with or without a port; never a domain. */
static enum status parse_host(struct parsed *t, const char *p, size_t len, struct error *error)
{
    struct net_address a;
    if (len > 0 && p[0] == '[') {
        return parse_bracketed(t, p, len, error);
    }
    if (parse_literal(p, len, &a)) {
        return set_literal(t, &a, error);
    }
    const char *colon = memchr(p, ':', len);
    size_t name = colon != NULL ? (size_t)(colon - p) : len;
    if (colon != NULL && memchr(colon + 1, ':', len - name - 1) != NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("\"%s\" is no IPv6 address. With a port, write [2001:db8::1]:25."),
                         show(p, len).text);
    }
    enum status st = ST_OK;
    if (colon != NULL) {
        st = parse_port(colon + 1, len - name - 1, &t->port, error);
    }
    if (st == ST_OK && parse_literal(p, name, &a)) {
        return set_literal(t, &a, error);
    }
    if (st == ST_OK) {
        char *shown = NULL;
        st = parse_name(p, name, &t->host, &shown, error);
        free(shown);
    }
    return st;
}

static enum status parse_url(struct parsed *t, const char *p, size_t len, size_t scheme_len,
                             struct error *error)
{
    const struct scheme *found = NULL;
    struct span word = {p, scheme_len};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (span_equal_nocase(word, schemes[i].name)) {
            found = &schemes[i];
        }
    }
    if (found == NULL) {
        return error_set(
            error, ST_INVALID, 0,
            _("\"%s\" is no scheme of mail servers; write smtp://, smtps://, submission:// "
              "or submissions://, or the name alone."),
            show(p, scheme_len).text);
    }
    p += scheme_len + 3;
    len -= scheme_len + 3;
    const char *at = memchr(p, '@', len);
    if (at != NULL) {
        /* The text is not repeated: it may hold a password. */
        return error_set(error, ST_INVALID, 0,
                         _("A user name or password has no place in the URL; give the user with "
                           "--auth-user and leave that part out."));
    }
    if (len > 0 && p[len - 1] == '/') {
        len--;
    }
    const char *extra = NULL;
    for (size_t i = 0; i < len && extra == NULL; i++) {
        if (strchr("/?#", p[i]) != NULL) {
            extra = p + i;
        }
    }
    if (extra != NULL) {
        return error_set(
            error, ST_INVALID, 0,
            _("\"%s\" has no meaning for a mail server; the URL ends behind host and port."),
            show(extra, len - (size_t)(extra - p)).text);
    }
    if (len == 0) {
        return error_set(error, ST_INVALID, 0, _("The URL names no host."));
    }
    t->has_tls = found->has_tls;
    t->tls = found->tls;
    enum status st = parse_host(t, p, len, error);
    if (st == ST_OK && t->port == 0) {
        t->port = found->port;
    }
    return st;
}

static enum status parse_mailbox(struct parsed *t, const char *p, size_t len, size_t at,
                                 struct error *error)
{
    if (at == 0) {
        return error_set(error, ST_INVALID, 0,
                         _("The address has nothing before its @; write user@example.com."));
    }
    p += at + 1;
    len -= at + 1;
    if (len == 0) {
        return error_set(error, ST_INVALID, 0,
                         _("The address has nothing behind its @; write user@example.com."));
    }
    if (p[0] == '[') {
        return parse_bracketed(t, p, len, error);
    }
    return parse_name(p, len, &t->domain, &t->domain_shown, error);
}

static enum status parse_target(struct parsed *t, const char *p, size_t len, struct error *error)
{
    struct net_address a;
    if (len == 0) {
        return error_set(error, ST_INVALID, 0,
                         _("There is no target. Name a domain, a host or an address."));
    }
    if (len > TARGET_MAX) {
        return error_set(error, ST_INVALID, 0,
                         _("The target is %zu bytes long; no name or address is longer than %d."),
                         len, TARGET_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c <= ' ' || c == 0x7f) {
            return error_set(error, ST_INVALID, 0,
                             _("The target has a blank or a control character at position %zu."),
                             i + 1);
        }
    }
    const char *scheme = NULL;
    for (size_t i = 0; i + 3 <= len && scheme == NULL; i++) {
        scheme = memcmp(p + i, "://", 3) == 0 ? p + i : NULL;
    }
    if (scheme != NULL) {
        return parse_url(t, p, len, (size_t)(scheme - p), error);
    }
    for (size_t i = len; i > 0; i--) {
        if (p[i - 1] == '@') {
            return parse_mailbox(t, p, len, i - 1, error);
        }
    }
    if (p[0] == '[' || memchr(p, ':', len) != NULL || parse_literal(p, len, &a)) {
        return parse_host(t, p, len, error);
    }
    const char *slash = memchr(p, '/', len);
    if (slash != NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("\"%s\" has a slash in it; name a domain, a host or an address."),
                         show(p, len).text);
    }
    /* A name without a dot is a machine of the own network; top-level domains take no mail. */
    size_t name = len > 1 && p[len - 1] == '.' ? len - 1 : len;
    if (is_ascii(p, len) && memchr(p, '.', name) == NULL) {
        return parse_host(t, p, len, error);
    }
    return parse_name(p, len, &t->domain, &t->domain_shown, error);
}

static struct span trimmed(const char *text)
{
    static const char blanks[] = " \t\r\n";
    struct span s = span_of(text);
    while (s.len > 0 && strchr(blanks, s.p[0]) != NULL) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && strchr(blanks, s.p[s.len - 1]) != NULL) {
        s.len--;
    }
    return s;
}

static void replace(char **slot, char **value)
{
    free(*slot);
    *slot = *value;
    *value = NULL;
}

enum status plan_set_target(struct plan *p, const char *text, struct error *error)
{
    struct span s = trimmed(text);
    struct parsed t = {0};
    enum status st = parse_target(&t, s.p, s.len, error);
    if (st != ST_OK) {
        goto out;
    }
    char *input = str_ndup(s.p, s.len);
    if (input == NULL) {
        st = error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
        goto out;
    }
    replace(&p->input, &input);
    replace(&p->domain, &t.domain);
    replace(&p->domain_shown, &t.domain_shown);
    replace(&p->host, &t.host);
    if (t.port != 0) {
        p->port = t.port;
    }
    if (t.has_tls) {
        p->tls = t.tls;
    }
out:
    parsed_free(&t);
    return st;
}

enum status plan_set_host(struct plan *p, const char *text, struct error *error)
{
    struct span s = trimmed(text);
    struct parsed t = {0};
    enum status st;
    if (s.len == 0 || s.len > TARGET_MAX) {
        return error_set(error, ST_INVALID, 0, _("There is no host name or address."));
    }
    st = parse_host(&t, s.p, s.len, error);
    if (st == ST_OK) {
        replace(&p->host, &t.host);
        if (t.port != 0) {
            p->port = t.port;
        }
    }
    parsed_free(&t);
    return st;
}
