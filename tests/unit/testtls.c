#include "testtls.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            ERR_print_errors_fp(stderr);                                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct testtls_conn {
    struct net_conn base;
    const struct testtls_options *options;
    SSL *ssl;
    BIO *in, *out;
    size_t sent;
    bool over; /* the server says no more */
};

static int refuse_name(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    if (SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

/* The library frees what it is given here. */
static int staple(SSL *ssl, void *arg)
{
    const struct testtls_options *o = arg;
    unsigned char *copy = OPENSSL_memdup(o->status, o->status_len);
    NEED(copy != NULL);
    NEED(SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)o->status_len) == 1);
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(const struct testtls_options *o)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    NEED(ctx != NULL);
    SSL_CTX_set_security_level(ctx, 0);
    NEED(SSL_CTX_set_min_proto_version(ctx, o->min_version != 0 ? o->min_version : TLS1_VERSION));
    NEED(SSL_CTX_set_max_proto_version(ctx, o->max_version));
    NEED(SSL_CTX_set_cipher_list(ctx, o->ciphers != NULL ? o->ciphers : "ALL:@SECLEVEL=0") == 1);
    if (o->groups != NULL) {
        NEED(SSL_CTX_set1_groups_list(ctx, o->groups) == 1);
    }
    SSL_CTX_set_dh_auto(ctx, 1);
    NEED(SSL_CTX_use_certificate(ctx, o->leaf->cert) == 1);
    NEED(SSL_CTX_use_PrivateKey(ctx, o->leaf->key) == 1);
    for (size_t i = 0; i < ARRAY_LEN(o->chain) && o->chain[i] != NULL; i++) {
        NEED(SSL_CTX_add1_chain_cert(ctx, o->chain[i]->cert) == 1);
    }
    if (o->wants_client_cert || o->needs_client_cert) {
        int mode = SSL_VERIFY_PEER;
        mode |= o->needs_client_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
        SSL_CTX_set_verify(ctx, mode, accept_any);
    }
    if (o->refuses_names) {
        SSL_CTX_set_tlsext_servername_callback(ctx, refuse_name);
    }
    if (o->status != NULL) {
        NEED(SSL_CTX_set_tlsext_status_cb(ctx, staple) == 1);
        NEED(SSL_CTX_set_tlsext_status_arg(ctx, (void *)(uintptr_t)o) == 1);
    }
    return ctx;
}

static void answer(struct testtls_conn *t, const char *line, size_t len)
{
    size_t put;
    if (len == 5 && memcmp(line, "DROP\n", 5) == 0) {
        t->over = true;
        return;
    }
    NEED(SSL_write_ex(t->ssl, line, len, &put) == 1);
    if (len == 5 && memcmp(line, "QUIT\n", 5) == 0) {
        (void)SSL_shutdown(t->ssl);
        t->over = true;
    }
}

/* Lets the server work on what it has got. */
static void run_server(struct testtls_conn *t)
{
    char line[20000];
    size_t got;
    while (!t->over && t->ssl != NULL) {
        ERR_clear_error();
        int rc = SSL_read_ex(t->ssl, line, sizeof(line), &got);
        if (rc == 1) {
            answer(t, line, got);
        } else {
            int err = SSL_get_error(t->ssl, rc);
            t->over = err != SSL_ERROR_WANT_READ;
            ERR_clear_error();
            return;
        }
    }
}

static size_t waiting(const struct testtls_conn *t)
{
    if (t->options->plain != NULL) {
        return t->options->plain_len - t->sent;
    }
    return (size_t)BIO_ctrl_pending(t->out);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum status conn_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct testtls_conn *t = (struct testtls_conn *)c;
    const struct testtls_options *o = t->options;
    *got = 0;
    run_server(t);
    size_t n = smaller(waiting(t), len);
    n = smaller(n, o->piece != 0 ? o->piece : n);
    if (o->cut_at != TESTTLS_NO_CUT) {
        if (t->sent >= o->cut_at) {
            return o->cut;
        }
        n = smaller(n, o->cut_at - t->sent);
    }
    if (n == 0) {
        return t->over || o->plain != NULL ? ST_EOF : ST_AGAIN;
    }
    if (o->plain != NULL) {
        memcpy(p, o->plain + t->sent, n);
    } else {
        NEED(BIO_read(t->out, p, (int)n) == (int)n);
    }
    if (o->flip_at != TESTTLS_NO_CUT && o->flip_at >= t->sent && o->flip_at < t->sent + n) {
        ((char *)p)[o->flip_at - t->sent] ^= 0x55;
    }
    t->sent += n;
    *got = n;
    return ST_OK;
}

static enum status conn_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct testtls_conn *t = (struct testtls_conn *)c;
    *put = smaller(len, t->options->piece != 0 ? t->options->piece : len);
    if (t->over || (t->options->cut == ST_RESET && t->sent >= t->options->cut_at)) {
        *put = 0;
        return ST_RESET;
    }
    if (t->ssl != NULL) {
        NEED(BIO_write(t->in, p, (int)*put) == (int)*put);
        run_server(t);
    }
    return ST_OK;
}

static void conn_shut_write(struct net_conn *c)
{
    (void)c;
}

static void conn_close(struct net_conn *c)
{
    struct testtls_conn *t = (struct testtls_conn *)c;
    SSL_free(t->ssl);
    free(t);
}

static const struct net_conn_ops conn_ops = {
    .read = conn_read,
    .write = conn_write,
    .shut_write = conn_shut_write,
    .close = conn_close,
};

struct net_conn *testtls_conn_new(const struct testtls_options *options)
{
    struct testtls_conn *t = calloc(1, sizeof(*t));
    NEED(t != NULL);
    t->base.ops = &conn_ops;
    (void)net_address_parse("192.0.2.25", &t->base.peer);
    t->options = options;
    if (options->plain == NULL) {
        SSL_CTX *ctx = make_context(options);
        t->ssl = SSL_new(ctx);
        t->in = BIO_new(BIO_s_mem());
        t->out = BIO_new(BIO_s_mem());
        NEED(t->ssl != NULL && t->in != NULL && t->out != NULL);
        SSL_set_bio(t->ssl, t->in, t->out);
        SSL_set_accept_state(t->ssl);
        SSL_CTX_free(ctx);
    }
    return &t->base;
}

SSL *testtls_server(struct net_conn *c)
{
    return ((struct testtls_conn *)c)->ssl;
}

size_t testtls_sent(const struct net_conn *c)
{
    return ((const struct testtls_conn *)c)->sent;
}

static int64_t network_now_us(struct network *n)
{
    return ((struct testtls_network *)n)->now_us;
}

static int64_t network_wall_us(struct network *n)
{
    return ((struct testtls_network *)n)->wall_us;
}

static void network_random(struct network *n, void *p, size_t len)
{
    (void)n;
    memset(p, 0x5a, len);
}

static bool may_read(struct testtls_conn *t)
{
    run_server(t);
    if (t->options->cut_at != TESTTLS_NO_CUT && t->sent >= t->options->cut_at) {
        return t->options->cut != ST_AGAIN;
    }
    return waiting(t) > 0 || t->over || t->options->plain != NULL;
}

static enum status network_wait(struct network *base, struct net_wait_item *items, size_t count,
                                int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    struct testtls_network *n = (struct testtls_network *)base;
    bool any = false;
    (void)until_wake;
    n->waits++;
    if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
        return ST_CANCELLED;
    }
    for (size_t i = 0; i < count; i++) {
        struct testtls_conn *t = (struct testtls_conn *)items[i].conn;
        items[i].ready = items[i].want & NET_WRITE;
        if ((items[i].want & NET_READ) != 0 && may_read(t)) {
            items[i].ready |= NET_READ;
        }
        any = any || items[i].ready != 0;
    }
    if (any) {
        return ST_OK;
    }
    NEED(deadline_us != NO_DEADLINE);
    n->now_us = deadline_us;
    return ST_TIMEOUT;
}

static const struct network_ops network_ops = {
    .now_us = network_now_us,
    .wall_us = network_wall_us,
    .random = network_random,
    .wait = network_wait,
};

void testtls_network_init(struct testtls_network *n)
{
    memset(n, 0, sizeof(*n));
    n->base.ops = &network_ops;
    n->base.demo = true;
    n->wall_us = TESTCERT_NOW * US_PER_S;
}
