#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "check_session.h"
#include "check_tools.h"
#include "escape.h"
#include "text.h"

#define NOTE_MAX 8192
#define KEY_MAX 64 /* longest word in a list of checks that is worth comparing */

#define BIT(id) (UINT64_C(1) << (id))

const struct check checks[CHECK_COUNT] = {
    {CHECK_DNS_MX, "dns.mx", N_("DNS MX"), SCOPE_DOMAIN, RISK_SAFE, 0, check_run_dns_mx},
    {CHECK_DNS_ADDRESS, "dns.address", N_("DNS A/AAAA"), SCOPE_DOMAIN, RISK_SAFE, BIT(CHECK_DNS_MX),
     check_run_dns_address},
    {CHECK_SELF_ADDRESS, "self.address", N_("Own address"), SCOPE_SELF, RISK_SAFE, 0,
     check_run_self_address},
    {CHECK_SELF_PTR, "self.ptr", N_("PTR/FCrDNS"), SCOPE_SELF, RISK_SAFE, BIT(CHECK_SELF_ADDRESS),
     check_run_self_ptr},
    {CHECK_CONNECT, "net.connect", N_("TCP connect"), SCOPE_PATH, RISK_SAFE, BIT(CHECK_DNS_ADDRESS),
     check_run_connect},
    {CHECK_BANNER, "smtp.banner", N_("Banner"), SCOPE_PATH, RISK_SAFE, BIT(CHECK_CONNECT),
     check_run_banner},
    {CHECK_EHLO, "smtp.ehlo", N_("EHLO caps"), SCOPE_PATH, RISK_SAFE, BIT(CHECK_BANNER),
     check_run_ehlo},
    {CHECK_STARTTLS, "tls.starttls", N_("STARTTLS"), SCOPE_PATH, RISK_SAFE, BIT(CHECK_EHLO),
     check_run_starttls},
    {CHECK_CERTIFICATE, "tls.certificate", N_("Certificate"), SCOPE_PATH, RISK_SAFE,
     BIT(CHECK_STARTTLS), check_run_certificate},
    {CHECK_RELAY, "smtp.relay", N_("Relay test"), SCOPE_PATH, RISK_RELAY, BIT(CHECK_EHLO),
     check_run_relay},
    {CHECK_AUTH, "smtp.auth", N_("AUTH"), SCOPE_PATH, RISK_LOGIN, BIT(CHECK_EHLO), check_run_auth},
    {CHECK_SEND, "smtp.send", N_("Test mail"), SCOPE_PATH, RISK_SEND, BIT(CHECK_EHLO),
     check_run_send},
};

const struct check *check_find(const char *key)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (strcmp(checks[i].key, key) == 0) {
            return &checks[i];
        }
    }
    return NULL;
}

/* Edits (insert, remove, replace) that turn one word into the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_MAX + 1];
    size_t len = strlen(b);
    if (len > KEY_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[len];
}

/* "mx" is nearer to dns.mx than its distance says. */
static const char *nearest_key(const char *word)
{
    const char *best = checks[0].key;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const char *dot = strchr(checks[i].key, '.');
        size_t whole = distance(word, checks[i].key);
        size_t tail = dot != NULL ? distance(word, dot + 1) : whole;
        size_t d = whole < tail ? whole : tail;
        if (d < least) {
            least = d;
            best = checks[i].key;
        }
    }
    return best;
}

enum status check_mask(const char *list, uint64_t *mask, struct error *error)
{
    uint64_t found = 0;
    while (*list != '\0') {
        char word[KEY_MAX];
        size_t len = strcspn(list, ",");
        size_t from = strspn(list, " ");
        size_t to = len;
        while (to > from && list[to - 1] == ' ') {
            to--;
        }
        bool fits = to >= from && to - from < sizeof(word);
        size_t n = fits ? to - from : 0;
        memcpy(word, list + from, n);
        word[n] = '\0';
        const struct check *check = fits ? check_find(word) : NULL;
        if (check == NULL) {
            char shown[KEY_MAX];
            escape_copy(shown, sizeof(shown), list + from, to > from ? to - from : 0, 0);
            return error_set(error, ST_INVALID, 0,
                             _("There is no check \"%s\"; the nearest one is \"%s\"."), shown,
                             nearest_key(word));
        }
        found |= BIT(check->id);
        list += len;
        if (*list == ',') {
            list++;
        }
    }
    if (found == 0) {
        return error_set(error, ST_INVALID, 0, _("No check is named; one is \"%s\"."),
                         checks[0].key);
    }
    *mask = found;
    return ST_OK;
}

uint64_t check_closure(uint64_t mask)
{
    uint64_t before;
    do {
        before = mask;
        for (size_t i = 0; i < CHECK_COUNT; i++) {
            if ((mask & BIT(i)) != 0) {
                mask |= checks[i].needs;
            }
        }
    } while (mask != before);
    return mask;
}

enum check_id check_blocked_by(const struct check_context *c, const struct check *check)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((check->needs & BIT(i)) == 0 || checks[i].scope == SCOPE_SELF) {
            continue;
        }
        enum verdict v = c->results[i];
        if (v != VERDICT_OK && v != VERDICT_NOTE && v != VERDICT_WARN) {
            return (enum check_id)i;
        }
    }
    return CHECK_NONE;
}

static uint32_t pass_line(void *ctx, enum smtp_dir dir, bool tls, unsigned flags, const char *p,
                          size_t len)
{
    struct check_context *c = ctx;
    uint32_t number = c->sink->line(c->sink->ctx, dir, tls, flags, p, len);
    if (dir == DIR_TLS) {
        c->tls_line = number;
    } else if (dir == DIR_SERVER &&
               ((flags & LINE_ODD) != 0 || (len >= 3 && memcmp(p, "421", 3) == 0))) {
        size_t n = len < sizeof(c->odd_text) ? len : sizeof(c->odd_text) - 1;
        memcpy(c->odd_text, p, n);
        c->odd_text[n] = '\0';
        c->odd_line = number;
    }
    return number;
}

static void pass_wait(void *ctx, enum smtp_wait what, int limit_ms)
{
    struct check_context *c = ctx;
    c->sink->wait(c->sink->ctx, what, limit_ms);
}

enum status check_context_init(struct check_context *c, const struct plan *plan,
                               struct network *net, struct cancel *cancel,
                               struct redactor *redactor, const struct check_sink *sink)
{
    memset(c, 0, sizeof(*c));
    c->plan = plan;
    c->net = net;
    c->cancel = cancel;
    c->redactor = redactor;
    c->sink = sink;
    c->current = &checks[CHECK_DNS_MX];
    c->run_start_us = net_now_us(net);
    facts_init(&c->domain_facts, 0);
    facts_init(&c->facts, 0);
    dns_init(&c->dns, net, cancel, &plan->dns);
    const struct tap tap = {.ctx = c, .line = pass_line, .wait = pass_wait};
    smtp_init(&c->smtp, net, cancel, &tap, &plan->limits);
    c->smtp.redactor = redactor;
    c->targets = calloc(TARGETS_MAX, sizeof(*c->targets));
    if (c->targets == NULL) {
        check_context_free(c);
        return ST_NOMEM;
    }
    return ST_OK;
}

void check_context_free(struct check_context *c)
{
    smtp_free(&c->smtp);
    facts_free(&c->domain_facts);
    facts_free(&c->facts);
    free(c->targets);
    for (size_t i = 0; i < c->server_ptr_count; i++) {
        free(c->server_ptrs[i].name);
    }
    c->targets = NULL;
    c->target_count = 0;
    c->server_ptr_count = 0;
}

void check_begin(struct check_context *c, enum check_id id)
{
    c->current = &checks[id];
    c->reply_flags_told &= ~c->reply_flags_told_by[id];
    c->reply_flags_told_by[id] = 0;
}

uint32_t check_note(struct check_context *c, const char *fmt, ...)
{
    struct buf text;
    struct buf shown;
    uint32_t number = 0;
    buf_init(&text, NOTE_MAX);
    buf_init(&shown, NOTE_MAX * 2);
    va_list ap;
    va_start(ap, fmt);
    enum status st = buf_addv(&text, fmt, ap);
    va_end(ap);
    /* Names from DNS and certificates may hold anything, a password that a server echoes included.
     */
    if (st == ST_OK && c->redactor != NULL) {
        st = redactor_apply(c->redactor, buf_str(&text), text.len, &shown);
    } else if (st == ST_OK) {
        st = buf_add(&shown, buf_str(&text), text.len);
    }
    if (st == ST_OK || shown.len > 0) {
        number = c->sink->line(c->sink->ctx, DIR_NOTE, c->smtp.tls, st == ST_OK ? 0 : LINE_CUT,
                               buf_str(&shown), shown.len);
    }
    buf_free(&text);
    buf_free(&shown);
    return number;
}

void check_tls_config(const struct check_context *c, struct tls_config *config)
{
    memset(config, 0, sizeof(*config));
    config->name = c->tls_name;
    config->cert_file = c->plan->cert_file;
    config->key_file = c->plan->key_file;
    config->limits = c->tls_limits;
    if (c->plan->ca_file != NULL) {
        config->ca_file = c->plan->ca_file;
    } else {
        config->ca_file = c->net->ca_file;
        config->ca_pem = c->net->ca_pem;
    }
}

enum status check_reopen(struct check_context *c, struct error *error)
{
    return session_open(c, SESSION_READY, error);
}

enum status check_reconnect(struct check_context *c, struct error *error)
{
    return session_open(c, SESSION_CONNECTED, error);
}

enum status check_regreet(struct check_context *c, struct error *error)
{
    return session_open(c, SESSION_GREETED, error);
}
