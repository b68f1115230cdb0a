#include "practice_tls.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "practice_cert.h"
#include "practice_ocsp.h"
#include "scenario_words.h"
#include "text.h"

#define DAY_S INT64_C(86400)
#define PEM_MAX 16384
#define NAMES_MAX 64
#define NAME_BYTES_MAX 4096
#define READ_STEP 16384

struct authority {
    X509 *cert;
    EVP_PKEY *key;
};

struct context_entry {
    struct context_entry *next;
    const struct scenario_server *server;
    const char *host;
    enum tls_kind kind;
    SSL_CTX *ctx;
};

struct practice_tls {
    int64_t now_s;
    long serial;
    struct authority root, intermediate, stranger;
    struct buf pem;
    struct context_entry *contexts;
};

struct tls_side {
    SSL *ssl; /* NULL for kinds that only pretend */
    enum tls_kind kind;
};

static void authority_free(struct authority *a)
{
    X509_free(a->cert);
    EVP_PKEY_free(a->key);
}

static bool authority_make(struct practice_tls *t, struct authority *a, const char *name,
                           const struct authority *issuer)
{
    a->key = cert_key_new("ec256");
    struct cert_request request = {
        .subject = span_of(name),
        .from_s = t->now_s - 365 * DAY_S,
        .until_s = t->now_s + 3650 * DAY_S,
        .serial = ++t->serial,
        .ca = true,
        .key = a->key,
        .issuer = issuer != NULL ? issuer->cert : NULL,
        .issuer_key = issuer != NULL ? issuer->key : NULL,
    };
    a->cert = a->key != NULL ? cert_new(&request) : NULL;
    return a->cert != NULL;
}

static bool write_pem(struct practice_tls *t)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    bool ok = bio != NULL && PEM_write_bio_X509(bio, t->root.cert) == 1;
    long len = ok ? BIO_get_mem_data(bio, &p) : 0;
    ok = ok && len > 0 && buf_add(&t->pem, p, (size_t)len) == ST_OK;
    BIO_free(bio);
    return ok;
}

enum status practice_tls_new(int64_t wall_us, struct practice_tls **out, struct error *error)
{
    *out = NULL;
    struct practice_tls *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is no memory left."));
    }
    t->now_s = wall_us / US_PER_S;
    buf_init(&t->pem, PEM_MAX);
    if (!authority_make(t, &t->root, "smtpscope practice root", NULL) ||
        !authority_make(t, &t->intermediate, "smtpscope practice CA 1", &t->root) ||
        !authority_make(t, &t->stranger, "A CA that nobody knows", NULL) || !write_pem(t)) {
        ERR_clear_error();
        practice_tls_free(t);
        return error_set(error, ST_TLS, 0,
                         _("The certificates of the practice network could not be made."));
    }
    *out = t;
    return ST_OK;
}

void practice_tls_free(struct practice_tls *t)
{
    if (t == NULL) {
        return;
    }
    while (t->contexts != NULL) {
        struct context_entry *e = t->contexts;
        t->contexts = e->next;
        SSL_CTX_free(e->ctx);
        free(e);
    }
    authority_free(&t->root);
    authority_free(&t->intermediate);
    authority_free(&t->stranger);
    buf_free(&t->pem);
    free(t);
}

const char *practice_tls_root(const struct practice_tls *t)
{
    return buf_str(&t->pem);
}

/* Placeholders of server texts have no value in a certificate but {host}. */
static enum status fill_host(void *ctx, enum text_field field, struct buf *out)
{
    return field == FIELD_HOST ? buf_add_str(out, ctx) : ST_OK;
}

static bool expand(struct buf *out, const char *text, const char *host)
{
    const char *bad = NULL;
    buf_init(out, NAME_BYTES_MAX);
    return scenario_text_add(out, text, fill_host, (void *)(uintptr_t)host, &bad) == ST_OK;
}

struct validity {
    int64_t from_s, until_s;
};

static struct validity validity_of(const struct practice_tls *t, enum tls_kind kind,
                                   const struct scenario_certificate *c)
{
    struct validity v = {t->now_s - 30 * DAY_S, t->now_s + 60 * DAY_S};
    if (kind == TLS_KIND_EXPIRED) {
        v = (struct validity){t->now_s - 100 * DAY_S, t->now_s - 10 * DAY_S};
    } else if (kind == TLS_KIND_NOT_YET_VALID) {
        v = (struct validity){t->now_s + 10 * DAY_S, t->now_s + 100 * DAY_S};
    }
    v.from_s = c->from_given ? t->now_s + c->from_us / US_PER_S : v.from_s;
    v.until_s = c->until_given ? t->now_s + c->until_us / US_PER_S : v.until_s;
    return v;
}

/* The leaf for a server and host; its key goes to *key. */
static X509 *make_leaf(struct practice_tls *t, const struct scenario_server *server,
                       const char *host, enum tls_kind kind, EVP_PKEY **key)
{
    const struct scenario_certificate *c = &server->certificate;
    const struct authority *issuer = kind == TLS_KIND_UNKNOWN_CA    ? &t->stranger
                                     : kind == TLS_KIND_SELF_SIGNED ? NULL
                                                                    : &t->intermediate;
    const char *other = "www.other.example";
    const char *fallback = kind == TLS_KIND_WRONG_NAME ? other : host;
    size_t given = c->names.count < NAMES_MAX ? c->names.count : NAMES_MAX;
    size_t count = c->names_given ? given : 1;
    struct validity v = validity_of(t, kind, c);
    struct buf names[NAMES_MAX];
    struct buf subject;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        ok = expand(&names[i], c->names_given ? c->names.p[i] : fallback, host) && ok;
    }
    const char *first = count > 0 && c->names_given ? c->names.p[0] : fallback;
    ok = expand(&subject, c->subject != NULL ? c->subject : first, host) && ok;
    /* There is no finite-field key exchange with an elliptic key. */
    const char *usual = kind == TLS_KIND_WEAK_DH ? "rsa2048" : "ec256";
    *key = cert_key_new(c->key != NULL ? c->key : usual);
    struct cert_request request = {
        .subject = {buf_str(&subject), subject.len},
        .names = names,
        .name_count = count,
        .from_s = v.from_s,
        .until_s = v.until_s,
        .serial = ++t->serial,
        .for_clients = c->for_clients,
        .forged = c->forged,
        .key = *key,
        .issuer = issuer != NULL ? issuer->cert : NULL,
        .issuer_key = issuer != NULL ? issuer->key : NULL,
    };
    X509 *leaf = ok && *key != NULL ? cert_new(&request) : NULL;
    for (size_t i = 0; i < count; i++) {
        buf_free(&names[i]);
    }
    buf_free(&subject);
    return leaf;
}

static int refuse_name(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    if (SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL) {
        return SSL_TLSEXT_ERR_OK;
    }
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The library frees what it is given here. */
static int staple(SSL *ssl, void *arg)
{
    struct practice_tls *t = arg;
    unsigned char *der = NULL;
    int len = practice_ocsp_revoked(SSL_get_certificate(ssl), t->intermediate.cert,
                                    t->intermediate.key, t->now_s, &der);
    if (len == 0) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    (void)SSL_set_tlsext_status_ocsp_resp(ssl, der, len);
    return SSL_TLSEXT_ERR_OK;
}

static bool set_protocol(SSL_CTX *ctx, enum tls_kind kind)
{
    int min = TLS1_2_VERSION;
    int max = 0;
    /* Level 0, so that keys and versions that are meant to be weak can be offered at all. */
    const char *ciphers = "DEFAULT:@SECLEVEL=0";
    if (kind == TLS_KIND_OLD_PROTOCOL) {
        min = TLS1_VERSION;
        max = TLS1_VERSION;
    } else if (kind == TLS_KIND_TLS_1_2) {
        max = TLS1_2_VERSION;
    } else if (kind == TLS_KIND_NO_SHARED_CIPHER) {
        max = TLS1_2_VERSION;
        ciphers = "eNULL:@SECLEVEL=0";
    } else if (kind == TLS_KIND_WEAK_DH) {
        max = TLS1_2_VERSION;
        ciphers = "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0";
    }
    return SSL_CTX_set_min_proto_version(ctx, min) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, max) == 1 &&
           SSL_CTX_set_cipher_list(ctx, ciphers) == 1;
}

/* The 1024-bit group of RFC 5114 2.1. */
static bool set_weak_group(SSL_CTX *ctx)
{
    char group[] = "dh_1024_160";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "DHX", NULL);
    bool ok = make != NULL && EVP_PKEY_keygen_init(make) == 1 &&
              EVP_PKEY_CTX_set_params(make, params) == 1 && EVP_PKEY_generate(make, &key) == 1 &&
              SSL_CTX_set0_tmp_dh_pkey(ctx, key) == 1;
    if (!ok) {
        EVP_PKEY_free(key);
    }
    EVP_PKEY_CTX_free(make);
    return ok;
}

static bool add_chain(SSL_CTX *ctx, const struct practice_tls *t, enum tls_kind kind)
{
    if (kind == TLS_KIND_SELF_SIGNED || kind == TLS_KIND_INCOMPLETE_CHAIN) {
        return true;
    }
    X509 *above = kind == TLS_KIND_UNKNOWN_CA ? t->stranger.cert : t->intermediate.cert;
    return SSL_CTX_add1_chain_cert(ctx, above) == 1;
}

static SSL_CTX *make_context(struct practice_tls *t, const struct scenario_server *server,
                             const char *host, enum tls_kind kind)
{
    EVP_PKEY *key = NULL;
    X509 *leaf = make_leaf(t, server, host, kind, &key);
    SSL_CTX *ctx = leaf != NULL ? SSL_CTX_new(TLS_server_method()) : NULL;
    bool ok = ctx != NULL && set_protocol(ctx, kind) && SSL_CTX_use_certificate(ctx, leaf) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, key) == 1 && add_chain(ctx, t, kind);
    if (ok) {
        SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    }
    if (ok && kind == TLS_KIND_CLIENT_CERTIFICATE) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (ok && kind == TLS_KIND_UNKNOWN_NAME) {
        SSL_CTX_set_tlsext_servername_callback(ctx, refuse_name);
    }
    if (ok && kind == TLS_KIND_WEAK_DH) {
        ok = set_weak_group(ctx);
    }
    if (ok && kind == TLS_KIND_REVOKED) {
        (void)SSL_CTX_set_tlsext_status_cb(ctx, staple);
        (void)SSL_CTX_set_tlsext_status_arg(ctx, t);
    }
    X509_free(leaf);
    EVP_PKEY_free(key);
    if (!ok) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static SSL_CTX *find_context(struct practice_tls *t, const struct scenario_server *server,
                             const char *host, enum tls_kind kind)
{
    for (const struct context_entry *e = t->contexts; e != NULL; e = e->next) {
        if (e->server == server && e->kind == kind && strcmp(e->host, host) == 0) {
            return e->ctx;
        }
    }
    struct context_entry *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        return NULL;
    }
    e->server = server;
    e->host = host;
    e->kind = kind;
    e->ctx = make_context(t, server, host, kind);
    if (e->ctx == NULL) {
        free(e);
        return NULL;
    }
    e->next = t->contexts;
    t->contexts = e;
    return e->ctx;
}

static bool is_pretence(enum tls_kind kind)
{
    return kind == TLS_KIND_STALL || kind == TLS_KIND_GARBAGE || kind == TLS_KIND_CLOSE ||
           kind == TLS_KIND_RESET || kind == TLS_KIND_NO_COMMON_VERSION;
}

struct tls_side *tls_side_new(struct practice_tls *t, const struct scenario_server *server,
                              const char *host, enum tls_kind kind)
{
    struct tls_side *side = calloc(1, sizeof(*side));
    if (side == NULL) {
        return NULL;
    }
    side->kind = kind;
    if (is_pretence(kind)) {
        return side;
    }
    SSL_CTX *ctx = find_context(t, server, host, kind);
    side->ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    if (side->ssl == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(side->ssl);
        free(side);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_bio(side->ssl, in, out);
    SSL_set_accept_state(side->ssl);
    return side;
}

void tls_side_free(struct tls_side *side)
{
    if (side != NULL) {
        SSL_free(side->ssl);
        free(side);
    }
}

static enum status drain(struct tls_side *side, struct buf *wire)
{
    BIO *out = SSL_get_wbio(side->ssl);
    char *p = NULL;
    long len = BIO_get_mem_data(out, &p);
    enum status st = len > 0 ? buf_add(wire, p, (size_t)len) : ST_OK;
    (void)BIO_reset(out);
    return st;
}

static enum tls_progress pretend(const struct tls_side *side, struct buf *wire)
{
    static const char words[] = "500 5.5.2 Error: command not recognized\r\n";
    static const char alert[] = {0x15, 3, 1, 0, 2, SSL3_AL_FATAL, SSL_AD_PROTOCOL_VERSION};
    switch (side->kind) {
    case TLS_KIND_STALL:
        return TLS_SILENT;
    case TLS_KIND_GARBAGE:
        return buf_add_str(wire, words) == ST_OK ? TLS_SILENT : TLS_OVER;
    case TLS_KIND_NO_COMMON_VERSION:
        return buf_add(wire, alert, sizeof(alert)) == ST_OK ? TLS_OVER : TLS_RESET;
    case TLS_KIND_RESET:
        return TLS_RESET;
    default:
        return TLS_OVER;
    }
}

static bool wants_more(struct tls_side *side, int rc)
{
    int e = SSL_get_error(side->ssl, rc);
    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

static enum tls_progress step(struct tls_side *side, struct buf *plain)
{
    if (!SSL_is_init_finished(side->ssl)) {
        int rc = SSL_do_handshake(side->ssl);
        if (rc != 1) {
            return wants_more(side, rc) ? TLS_GOING_ON : TLS_OVER;
        }
    }
    char bytes[READ_STEP];
    for (;;) {
        int rc = SSL_read(side->ssl, bytes, sizeof(bytes));
        if (rc <= 0) {
            return wants_more(side, rc) ? TLS_UP : TLS_OVER;
        }
        if (buf_add(plain, bytes, (size_t)rc) != ST_OK) {
            return TLS_OVER;
        }
    }
}

enum tls_progress tls_side_feed(struct tls_side *side, const char *p, size_t len, struct buf *plain,
                                struct buf *wire)
{
    if (side->ssl == NULL) {
        return pretend(side, wire);
    }
    /* The error queue is the thread's, and the client at the other end has the same thread. */
    ERR_clear_error();
    enum tls_progress progress = TLS_OVER;
    if (len <= INT32_MAX && BIO_write(SSL_get_rbio(side->ssl), p, (int)len) == (int)len) {
        progress = step(side, plain);
    }
    if (drain(side, wire) != ST_OK) {
        progress = TLS_OVER;
    }
    ERR_clear_error();
    return progress;
}

enum status tls_side_write(struct tls_side *side, const char *p, size_t len, struct buf *wire)
{
    if (side->ssl == NULL || len == 0) {
        return ST_OK;
    }
    ERR_clear_error();
    size_t put = 0;
    enum status st = SSL_write_ex(side->ssl, p, len, &put) == 1 ? drain(side, wire) : ST_TLS;
    ERR_clear_error();
    return st;
}

void tls_side_shut(struct tls_side *side, struct buf *wire)
{
    if (side->ssl != NULL && SSL_is_init_finished(side->ssl)) {
        (void)SSL_shutdown(side->ssl);
        (void)drain(side, wire);
        ERR_clear_error();
    }
}
