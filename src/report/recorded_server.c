#include <stdlib.h>
#include <string.h>

#include "recorded.h"

#define HOUR_S INT64_C(3600)
#define DAY_S (24 * HOUR_S)
/* Those of a certificate about which nothing is said. */
#define USUAL_FROM_S (-30 * DAY_S)
#define USUAL_UNTIL_S (60 * DAY_S)
#define DATE_MAX_S (INT64_C(36000) * DAY_S)
/* A common name has 64 characters at most (RFC 5280, appendix A.1); where nothing is said, it is
   the first of the names. */
#define COMMON_NAME_MAX 60
#define DH_BITS_MIN 2048 /* RFC 9325 4.1 */

static bool has_error(const struct tls_facts *t, enum tls_reason reason)
{
    for (size_t i = 0; i < t->error_count; i++) {
        if (t->errors[i].reason == reason) {
            return true;
        }
    }
    return t->reason == reason;
}

static const struct tls_facts *tls_of(const struct recorded_server *server)
{
    return server->path != NULL ? server->path->tls : NULL;
}

bool recorded_wants_certificate(const struct recorded *x, const struct recorded_server *server)
{
    const struct tls_facts *t = tls_of(server);
    return t != NULL &&
           (t->reason == TLS_REASON_CLIENT_CERT || recorded_found(x, "tls.starttls.client_cert"));
}

int recorded_alert(const struct recorded_server *server)
{
    const struct tls_facts *t = tls_of(server);
    bool own_kind = t == NULL || t->done || t->reason != TLS_REASON_HANDSHAKE;
    return own_kind ? -1 : t->alert >= 0 ? t->alert : 40; /* handshake_failure */
}

/* A handshake that failed has a kind for each reason. */
static const char *failed_kind(enum tls_reason reason)
{
    switch (reason) {
    case TLS_REASON_NOT_TLS:
        return "garbage";
    case TLS_REASON_OLD_PROTOCOL:
        return "no-common-version";
    case TLS_REASON_NO_SHARED_CIPHER:
        return "no-shared-cipher";
    case TLS_REASON_CLIENT_CERT:
        return "client-certificate";
    case TLS_REASON_UNKNOWN_NAME:
        return "unknown-name";
    case TLS_REASON_CLOSED:
        return "close";
    case TLS_REASON_TIMEOUT:
        return "stall";
    default:
        return NULL;
    }
}

static bool ever_secured(const struct recorded *x, const struct recorded_server *server)
{
    const struct talk_turn *turn;
    size_t talk = 0, at = 0;
    while ((turn = recorded_next_turn(x, server, &talk, &at)) != NULL) {
        if (turn->secured) {
            return true;
        }
    }
    return false;
}

const char *recorded_failed_kind(const struct recorded *x, const struct recorded_server *server)
{
    const struct tls_facts *t = tls_of(server);
    return t != NULL && !t->done && ever_secured(x, server) ? failed_kind(t->reason) : NULL;
}

static const char *chain_kind(const struct tls_facts *t)
{
    static const struct {
        enum tls_reason reason;
        const char *kind;
    } kinds[] = {{TLS_REASON_SELF_SIGNED, "self-signed"},
                 {TLS_REASON_UNTRUSTED_ROOT, "unknown-ca"},
                 {TLS_REASON_INCOMPLETE_CHAIN, "incomplete-chain"},
                 {TLS_REASON_REVOKED, "revoked"}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (has_error(t, kinds[i].reason)) {
            return kinds[i].kind;
        }
    }
    return NULL;
}

static bool is_old(const char *version)
{
    static const char *const old[] = {"SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"};
    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        if (strcmp(version, old[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "DH 1024" */
static bool has_weak_group(const struct tls_facts *t)
{
    return strncmp(t->group, "DH ", 3) == 0 && strtoul(t->group + 3, NULL, 10) < DH_BITS_MIN;
}

static void put_kind(struct recorded *x, const struct recorded_server *server,
                     const struct tls_facts *t)
{
    const char *kind = t->done ? chain_kind(t) : failed_kind(t->reason);
    if (recorded_failed_kind(x, server) != NULL) {
        return; /* rules tell which handshake fails */
    }
    if (recorded_wants_certificate(x, server)) {
        kind = "client-certificate";
    } else if (t->done && has_weak_group(t)) {
        kind = "weak-dh";
    } else if (t->done && is_old(t->version)) {
        kind = "old-protocol";
    } else if (t->done && kind == NULL && strcmp(t->version, "TLSv1.2") == 0) {
        kind = "tls-1.2";
    }
    if (kind != NULL) {
        recorded_put(x, "    tls %s\n", kind);
    }
}

static void put_date(struct recorded *x, const char *word, int64_t seconds, int64_t usual)
{
    char text[32];
    int64_t from_now = seconds - x->r->started_wall_us / US_PER_S;
    int64_t over = from_now % HOUR_S;
    /* Upwards, so that a run of some seconds counts the same days. */
    if (over != 0 && (from_now > 2 * DAY_S || from_now < -2 * DAY_S)) {
        from_now += over > 0 ? HOUR_S - over : -over;
    }
    if (from_now == usual || from_now < -DATE_MAX_S || from_now > DATE_MAX_S) {
        return;
    }
    recorded_time(from_now * US_PER_S, text, sizeof(text));
    recorded_put(x, "    certificate %s %s\n", word, text);
}

/* Names are shown as domain names where they are some; anything else as the text that it is. */
static void put_name(struct recorded *x, const char *name)
{
    struct buf example, text;
    char canonical[DNS_NAME_MAX];
    struct net_address a;
    buf_init(&example, SHARE_TEXT_MAX);
    buf_init(&text, RECORDED_LINE_MAX);
    bool domain = dns_name_canonical(name, canonical) == ST_OK && strcmp(canonical, name) == 0;
    if (net_address_parse(name, &a) || domain) {
        recorded_keep(x, share_safe_name(x->share, name, &example));
    } else {
        recorded_keep(x, share_safe_text(x->share, name, strlen(name), 0, &example));
    }
    recorded_keep(x, recorded_quote(&text, buf_str(&example), example.len));
    recorded_put(x, " %s", buf_str(&text));
    buf_free(&example);
    buf_free(&text);
}

static void put_names(struct recorded *x, const struct recorded_server *server,
                      const struct tls_facts *t)
{
    const char *host = server->host->name;
    if (t->name_count == 0) {
        recorded_put(x, "    certificate names none\n");
        return;
    }
    if (t->name_count == 1 && host != NULL && str_equal_nocase(t->names[0], host)) {
        return;
    }
    if (strlen(t->names[0]) > COMMON_NAME_MAX) {
        recorded_put(x, "    certificate subject \"{host}\"\n");
    }
    recorded_put(x, "    certificate names");
    for (size_t i = 0; i < t->name_count && i < RECORDED_WORDS_MAX; i++) {
        put_name(x, t->names[i][0] != '\0' ? t->names[i] : "-");
    }
    recorded_put(x, "\n");
}

static void put_key(struct recorded *x, const struct tls_facts *t)
{
    unsigned long bits =
        strncmp(t->chain[0].key, "RSA ", 4) == 0 ? strtoul(t->chain[0].key + 4, NULL, 10) : 0;
    if (has_error(t, TLS_REASON_WEAK) || (bits > 0 && bits < 2048)) {
        recorded_put(x, "    certificate key rsa1024\n");
    } else if (bits > 0) {
        recorded_put(x, "    certificate key rsa2048\n");
    }
}

/* What no kind of the practice network is. */
static void put_unknown(struct recorded *x, const struct tls_facts *t)
{
    if (has_error(t, TLS_REASON_OTHER) && !has_error(t, TLS_REASON_SIGNATURE)) {
        recorded_put(x, "    # not acted out: the certificate could not be verified\n");
    }
    if (t->done && is_old(t->version) && chain_kind(t) != NULL) {
        recorded_put(x, "    # not acted out: the certificate was %s as well\n", chain_kind(t));
    }
}

static void put_tls(struct recorded *x, const struct recorded_server *server)
{
    const struct tls_facts *t = tls_of(server);
    if (t == NULL) {
        return;
    }
    put_kind(x, server, t);
    if (t->chain_count > 0) {
        put_names(x, server, t);
        put_date(x, "from", t->chain[0].not_before, USUAL_FROM_S);
        put_date(x, "until", t->chain[0].not_after, USUAL_UNTIL_S);
        put_key(x, t);
        if (has_error(t, TLS_REASON_PURPOSE)) {
            recorded_put(x, "    certificate usage client\n");
        }
        if (has_error(t, TLS_REASON_SIGNATURE)) {
            recorded_put(x, "    certificate signature bad\n");
        }
        put_unknown(x, t);
    }
}

/* A password that was refused is not the one that the server knows. */
static void put_user(struct recorded *x)
{
    struct buf user;
    if (!x->logs_in) {
        return;
    }
    buf_init(&user, 4 * DNS_NAME_MAX);
    bool wrong = recorded_found(x, "smtp.auth.wrong") || recorded_found(x, "smtp.auth.oauth");
    recorded_keep(x, recorded_user(x, &user));
    recorded_put(x, "    user %s %s\n", buf_str(&user),
                 wrong ? RECORDED_OTHER_PASSWORD : RECORDED_PASSWORD);
    buf_free(&user);
}

bool recorded_speaks_lmtp(const struct recorded *x, const struct recorded_server *server)
{
    const struct talk_turn *turn;
    size_t talk = 0, at = 0;
    while ((turn = recorded_next_turn(x, server, &talk, &at)) != NULL) {
        if (talk_is_hello(turn) && turn->verb[0] == 'L' && turn->code / 100 == 2) {
            return true;
        }
    }
    return false;
}

/* LMTP answers LHLO and nothing else; behind a proxy, its header is waited for. */
static void put_protocol(struct recorded *x, const struct recorded_server *server)
{
    size_t talk = 0, at = 0;
    int proxy = 0;
    while (proxy == 0 && recorded_next_turn(x, server, &talk, &at) != NULL) {
        proxy = x->talks[talk].proxy;
    }
    if (recorded_speaks_lmtp(x, server)) {
        recorded_put(x, "    lmtp\n");
    }
    if (proxy != 0) {
        recorded_put(x, "    proxy v%d\n", proxy);
    }
}

static void put_server(struct recorded *x, const struct recorded_server *server)
{
    struct recorded_offers offers;
    recorded_find_offers(x, server, &offers);
    recorded_put(x, "\nserver %s\n", server->name);
    if (x->plan->domain != NULL) {
        recorded_put(x, "    local ");
        recorded_put_name(x, x->plan->domain);
        recorded_put(x, "\n");
    }
    put_protocol(x, server);
    if (recorded_found(x, "smtp.reply.bare_lf")) {
        recorded_put(x, "    line-end lf\n");
    }
    recorded_put_rules(x, server, &offers);
    put_user(x);
    put_tls(x, server);
}

static bool is_quiet(const struct recorded *x, const struct dial_facts *f)
{
    for (size_t i = 0; i < x->server_count; i++) {
        if (net_address_same_host(&x->servers[i].address, &f->to) &&
            x->servers[i].address.port == f->to.port) {
            return false;
        }
    }
    return f->status == ST_OK;
}

void recorded_put_servers(struct recorded *x)
{
    bool quiet = false;
    for (size_t i = 0; i < x->server_count; i++) {
        put_server(x, &x->servers[i]);
    }
    for (size_t i = 0; i < x->r->dial_count; i++) {
        quiet = quiet || is_quiet(x, &x->r->dials[i].f);
    }
    if (quiet) {
        recorded_put(x, "\n# Somebody answered there; nothing was said.\nserver quiet\n"
                        "    local example.org\n");
    }
}
