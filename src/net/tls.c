#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "tls_anchors.h"
#include "tls_context.h"
#include "tls_facts.h"
#include "tls_status.h"

/* One TLS record and its overhead. */
#define PIECE_MAX (16 * 1024 + 512)
/* All that a server may send before the handshake is over. */
#define HANDSHAKE_MAX (1024u * 1024)
/* What is still looked through for an alert when the peer is gone. */
#define LAST_PIECES_MAX 16
/* Taken in by one read without a byte of content. */
#define READ_PIECES_MAX 16

struct tls_conn {
    struct net_conn base;
    struct net_conn *below;
    SSL *ssl;
    BIO *in, *out;           /* owned by ssl */
    struct tls_facts *facts; /* the caller's; NULL after the handshake */
    struct tls_wanted wanted;
    size_t received;
    bool hello_seen, cert_requested, cert_given, trusts_system;
    int alert;
    enum status ended; /* ST_OK while reading can go on */
    struct tls_failure failure;
};

/* Sees every alert and handshake message that the peer sends, after decryption. */
static void on_message(int sent, int version, int type, const void *p, size_t len, SSL *ssl,
                       void *arg)
{
    struct tls_conn *t = arg;
    const unsigned char *bytes = p;
    (void)version;
    (void)ssl;
    if (sent != 0) {
        return;
    }
    if (type == SSL3_RT_ALERT && len >= 2 && bytes[1] != SSL3_AD_CLOSE_NOTIFY) {
        t->alert = bytes[1];
    } else if (type == SSL3_RT_HANDSHAKE && len >= 1) {
        t->hello_seen = t->hello_seen || bytes[0] == SSL3_MT_SERVER_HELLO;
        t->cert_requested = t->cert_requested || bytes[0] == SSL3_MT_CERTIFICATE_REQUEST;
    }
}

/* The handshake never ends here: the facts say what was wrong. */
static int on_certificates(X509_STORE_CTX *ctx, void *arg)
{
    struct tls_conn *t = arg;
    if (t->facts != NULL) {
        if (t->trusts_system) {
            tls_anchors_widen(ctx);
        }
        tls_facts_verify(ctx, &t->wanted, t->facts);
    }
    return 1;
}

/* Hands down what the library wants to send, without waiting. */
static enum status flush_out(struct tls_conn *t)
{
    for (;;) {
        char *p;
        long pending = BIO_get_mem_data(t->out, &p);
        if (pending <= 0) {
            return ST_OK;
        }
        size_t put = 0;
        enum status st = t->below->ops->write(t->below, p, (size_t)pending, &put);
        if (st != ST_OK) {
            t->base.sys = t->below->sys;
            return st;
        }
        char piece[PIECE_MAX];
        while (put > 0) {
            int n = BIO_read(t->out, piece, put < sizeof(piece) ? (int)put : (int)sizeof(piece));
            if (n <= 0) {
                return ST_IO;
            }
            put -= (size_t)n;
        }
    }
}

static void keep_detail(char *out, size_t size)
{
    unsigned long err = ERR_peek_error();
    if (err != 0) {
        ERR_error_string_n(err, out, size);
    }
}

/* Turns the library's queue of errors into a reason. */
static enum tls_reason judge(const struct tls_conn *t)
{
    if (t->alert >= 0) {
        return tls_reason_of_alert(t->alert, !t->hello_seen, t->cert_requested && !t->cert_given);
    }
    return tls_reason_of_error(ERR_peek_error());
}

static enum status end_reading(struct tls_conn *t, enum status st)
{
    t->ended = st;
    if (st == ST_EOF && (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN) == 0) {
        t->failure.truncated = true;
        t->failure.reason = TLS_REASON_CLOSED;
    } else if (st == ST_RESET) {
        t->failure.reason = TLS_REASON_CLOSED;
    } else if (st == ST_TLS) {
        t->failure.reason = judge(t);
        t->failure.alert = t->alert;
        keep_detail(t->failure.detail, sizeof(t->failure.detail));
    }
    ERR_clear_error();
    return st;
}

/* Takes what has arrived below. */
static enum status pull_in(struct tls_conn *t)
{
    char piece[PIECE_MAX];
    size_t got = 0;
    enum status st = t->below->ops->read(t->below, piece, sizeof(piece), &got);
    if (st != ST_OK) {
        t->base.sys = t->below->sys;
        return st;
    }
    return BIO_write(t->in, piece, (int)got) == (int)got ? ST_OK : ST_NOMEM;
}

static enum status tls_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct tls_conn *t = (struct tls_conn *)c;
    *got = 0;
    if (t->ended != ST_OK) {
        return t->ended;
    }
    for (int pieces = 0;; pieces++) {
        ERR_clear_error();
        int rc = SSL_read_ex(t->ssl, p, len, got);
        int err = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, rc);
        if (err == SSL_ERROR_ZERO_RETURN) {
            (void)end_reading(t, ST_EOF);
        } else if (err != SSL_ERROR_NONE && err != SSL_ERROR_WANT_READ) {
            /* Before anything is sent: a server in this thread uses the same queue of errors. */
            (void)end_reading(t, ST_TLS);
        }
        /* Reading may have made something to send: a key update, an alert. When it does not get
           through, reading is still worth while: the peer may have said why. */
        enum status flushed = flush_out(t);
        if (err != SSL_ERROR_WANT_READ) {
            return t->ended;
        }
        /* A flood of tickets or key updates: who waits has to look at the clock in between. */
        enum status st = pieces < READ_PIECES_MAX ? pull_in(t) : ST_AGAIN;
        if (st == ST_AGAIN) {
            return flushed == ST_OK || flushed == ST_AGAIN ? ST_AGAIN : end_reading(t, flushed);
        }
        if (st != ST_OK) {
            return end_reading(t, st);
        }
    }
}

/*
 * Writing failed because the server is gone. An alert that explains it may have come before: with
 * TLS 1.3, "certificate required" arrives just when we say our first word.
 */
static enum status last_words(struct tls_conn *t, enum status st)
{
    char byte;
    size_t got;
    if (t->ended != ST_OK) {
        return t->ended == ST_TLS ? ST_TLS : st;
    }
    for (int i = 0; i < LAST_PIECES_MAX && pull_in(t) == ST_OK; i++) {
    }
    ERR_clear_error();
    int rc = SSL_peek_ex(t->ssl, &byte, 1, &got);
    if (rc != 1 && SSL_get_error(t->ssl, rc) == SSL_ERROR_SSL) {
        return end_reading(t, ST_TLS);
    }
    ERR_clear_error();
    return st;
}

static enum status tls_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct tls_conn *t = (struct tls_conn *)c;
    *put = 0;
    /* One piece at a time: what the library has encrypted cannot be taken back. */
    enum status st = flush_out(t);
    if (st != ST_OK) {
        return st == ST_RESET ? last_words(t, st) : st;
    }
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, p, len < PIECE_MAX ? len : PIECE_MAX, put) != 1) {
        t->failure.reason = TLS_REASON_HANDSHAKE;
        keep_detail(t->failure.detail, sizeof(t->failure.detail));
        ERR_clear_error();
        return ST_TLS;
    }
    st = flush_out(t);
    if (st == ST_RESET) {
        return last_words(t, st);
    }
    return st == ST_AGAIN ? ST_OK : st;
}

static struct net_conn *tls_wait_for(struct net_conn *c, unsigned want, unsigned *below,
                                     bool *ready)
{
    struct tls_conn *t = (struct tls_conn *)c;
    bool unsent = BIO_pending(t->out) > 0;
    *below = 0;
    if ((want & NET_READ) != 0) {
        *below |= NET_READ;
        *ready = t->ended != ST_OK || SSL_pending(t->ssl) > 0 || BIO_pending(t->in) > 0;
    }
    if ((want & NET_WRITE) != 0 && !unsent) {
        *ready = true;
    }
    if (unsent) {
        *below |= NET_WRITE;
    }
    return t->below;
}

static void tls_shut_write(struct net_conn *c)
{
    struct tls_conn *t = (struct tls_conn *)c;
    if (t->ended != ST_TLS && (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) == 0) {
        (void)SSL_shutdown(t->ssl);
        ERR_clear_error();
    }
    (void)flush_out(t);
}

static void tls_free(struct tls_conn *t)
{
    SSL_free(t->ssl);
    free(t);
    ERR_clear_error();
}

static void tls_close(struct net_conn *c)
{
    struct tls_conn *t = (struct tls_conn *)c;
    struct net_conn *below = t->below;
    tls_shut_write(c);
    tls_free(t);
    net_close(below);
}

static const struct net_conn_ops tls_ops = {
    .read = tls_read,
    .write = tls_write,
    .wait_for = tls_wait_for,
    .shut_write = tls_shut_write,
    .close = tls_close,
};

/* Waits until everything has gone out. */
static enum status send_out(struct network *n, struct tls_conn *t, int64_t deadline_us,
                            struct cancel *cancel)
{
    for (;;) {
        enum status st = flush_out(t);
        if (st != ST_AGAIN) {
            return st;
        }
        struct net_wait_item item = {.conn = t->below, .want = NET_WRITE};
        st = net_wait(n, &item, 1, deadline_us, cancel, false);
        if (st != ST_OK) {
            return st;
        }
    }
}

static void keep_first_bytes(struct tls_facts *facts, const char *p, size_t len)
{
    size_t room = sizeof(facts->first_bytes) - facts->first_bytes_len;
    size_t take = len < room ? len : room;
    memcpy(facts->first_bytes + facts->first_bytes_len, p, take);
    facts->first_bytes_len += take;
}

/* Waits for bytes of the peer, and gives them to the library. */
static enum status receive_in(struct network *n, struct tls_conn *t, int64_t deadline_us,
                              struct cancel *cancel)
{
    char piece[PIECE_MAX];
    size_t got = 0;
    enum status st =
        net_read_some(n, t->below, piece, sizeof(piece), &got, deadline_us, cancel);
    if (st != ST_OK) {
        t->base.sys = t->below->sys;
        return st;
    }
    keep_first_bytes(t->facts, piece, got);
    t->received += got;
    if (t->received > HANDSHAKE_MAX) {
        return ST_LIMIT;
    }
    return BIO_write(t->in, piece, (int)got) == (int)got ? ST_OK : ST_NOMEM;
}

/* The answer is no TLS. Takes what else has come by now, and the library's opinion of it. */
static enum status refuse_plain_text(struct tls_conn *t)
{
    char more[sizeof(t->facts->first_bytes)];
    size_t got = 0;
    if (t->below->ops->read(t->below, more, sizeof(more), &got) == ST_OK) {
        keep_first_bytes(t->facts, more, got);
    }
    t->facts->reason = TLS_REASON_NOT_TLS;
    (void)SSL_do_handshake(t->ssl);
    keep_detail(t->facts->detail, sizeof(t->facts->detail));
    return ST_TLS;
}

static enum status handshake(struct network *n, struct tls_conn *t, int64_t deadline_us,
                             struct cancel *cancel)
{
    for (;;) {
        ERR_clear_error();
        int rc = SSL_do_handshake(t->ssl);
        int err = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, rc);
        if (err != SSL_ERROR_NONE && err != SSL_ERROR_WANT_READ) {
            t->facts->reason = err == SSL_ERROR_ZERO_RETURN ? TLS_REASON_CLOSED : judge(t);
            t->facts->detail[0] = '\0';
            keep_detail(t->facts->detail, sizeof(t->facts->detail));
            /* Our alert, so that the server's log has the same story. */
            (void)flush_out(t);
            return err == SSL_ERROR_ZERO_RETURN ? ST_EOF : ST_TLS;
        }
        enum status st = send_out(n, t, deadline_us, cancel);
        if (st == ST_RESET) {
            /* The server is gone, but its last words may have arrived. */
            (void)BIO_reset(t->out);
            st = pull_in(t) == ST_OK ? ST_OK : ST_RESET;
            if (st == ST_OK && err != SSL_ERROR_NONE) {
                continue;
            }
            return ST_RESET;
        }
        if (st != ST_OK || err == SSL_ERROR_NONE) {
            return st;
        }
        st = receive_in(n, t, deadline_us, cancel);
        if (st != ST_OK) {
            return st;
        }
        if (!tls_looks_like_record(t->facts->first_bytes, t->facts->first_bytes_len)) {
            return refuse_plain_text(t);
        }
    }
}

/* A name from DNS or a server may hold anything; only what can be a host's is sent to another. */
static bool may_be_sent(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        bool ok = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                  (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' || *p == '.';
        if (!ok) {
            return false;
        }
    }
    return name[0] != '\0';
}

static enum status tls_conn_new(struct network *n, struct net_conn *below,
                                const struct tls_config *config, struct tls_facts *facts,
                                struct tls_conn **out, struct error *error)
{
    SSL_CTX *ctx;
    *out = NULL;
    enum status st = tls_context_new(n, config, &ctx, error);
    if (st != ST_OK) {
        return st;
    }
    struct tls_conn *t = calloc(1, sizeof(*t));
    st = ST_NOMEM;
    if (t == NULL) {
        goto out;
    }
    t->base.ops = &tls_ops;
    t->base.local = below->local;
    t->base.peer = below->peer;
    t->below = below;
    t->facts = facts;
    t->alert = t->failure.alert = -1;
    t->cert_given = config->cert_file != NULL;
    t->trusts_system = tls_context_trusts_system(n, config);
    t->wanted.name = facts->name;
    t->wanted.wall_s = net_wall_us(n) / US_PER_S;
    (void)net_address_parse(facts->name, &t->wanted.address);
    SSL_CTX_set_cert_verify_callback(ctx, on_certificates, t);
    t->ssl = SSL_new(ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (t->ssl == NULL || t->in == NULL || t->out == NULL) {
        BIO_free(t->in);
        BIO_free(t->out);
        goto out;
    }
    /* An empty buffer is "not yet"; the end of the stream is judged by us. */
    BIO_set_mem_eof_return(t->in, -1);
    BIO_set_mem_eof_return(t->out, -1);
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_app_data(t->ssl, facts);
    SSL_set_msg_callback(t->ssl, on_message);
    SSL_set_msg_callback_arg(t->ssl, t);
    SSL_set_connect_state(t->ssl);
    tls_status_ask(t->ssl);
    if (!config->limits.no_sni && t->wanted.address.family == 0 && may_be_sent(facts->name)) {
        if (SSL_set_tlsext_host_name(t->ssl, facts->name) != 1) {
            goto out;
        }
        (void)str_copy(facts->sni, sizeof(facts->sni), facts->name);
    }
    *out = t;
    st = ST_OK;
out:
    if (st != ST_OK) {
        (void)error_set(error, st, 0, _("There is not enough memory for TLS."));
        if (t != NULL) {
            tls_free(t);
        }
    }
    SSL_CTX_free(ctx); /* the SSL keeps its own reference */
    return st;
}

static void set_failure(struct tls_facts *facts, enum status st)
{
    if (facts->reason != TLS_REASON_NOT_TLS) {
        facts->first_bytes_len = 0;
    }
    if (st != ST_TLS) {
        facts->detail[0] = '\0'; /* it was about the certificate */
    }
    switch (st) {
    case ST_TIMEOUT:
        facts->reason = TLS_REASON_TIMEOUT;
        break;
    case ST_EOF:
    case ST_RESET:
        facts->reason = TLS_REASON_CLOSED;
        break;
    case ST_CANCELLED:
        facts->reason = TLS_REASON_NONE;
        break;
    case ST_TLS:
        break; /* known already */
    default:
        facts->reason = TLS_REASON_HANDSHAKE;
    }
}

static enum status take_name(const char *name, struct tls_facts *facts, struct error *error)
{
    if (name == NULL) {
        return ST_OK;
    }
    if (!str_copy(facts->name, sizeof(facts->name), name)) {
        return error_set(error, ST_INVALID, 0, _("The host name is too long for TLS."));
    }
    /* RFC 6066 section 3: without the final dot. */
    size_t len = strlen(facts->name);
    if (len > 1 && facts->name[len - 1] == '.') {
        facts->name[len - 1] = '\0';
    }
    return ST_OK;
}

enum status tls_client(struct network *n, struct net_conn *below, const struct tls_config *config,
                       int64_t deadline_us, struct cancel *cancel, struct net_conn **out,
                       struct tls_facts *facts, struct error *error)
{
    *out = NULL;
    memset(facts, 0, sizeof(*facts));
    facts->alert = -1;
    enum status st = take_name(config->name, facts, error);
    if (st != ST_OK) {
        return st;
    }
    struct tls_conn *t;
    st = tls_conn_new(n, below, config, facts, &t, error);
    if (st != ST_OK) {
        return st;
    }
    st = handshake(n, t, deadline_us, cancel);
    facts->alert = t->alert;
    facts->client_cert_requested = t->cert_requested;
    if (st != ST_OK) {
        set_failure(facts, st);
        (void)error_set(error, st, t->base.sys, "%s",
                        st == ST_CANCELLED ? _("The TLS handshake was stopped.")
                                           : tls_reason_text(facts->reason));
        tls_free(t);
        return st;
    }
    facts->done = true;
    if (tls_status_revoked(t->ssl, t->wanted.wall_s)) {
        tls_facts_revoked(facts);
    }
    facts->verified = facts->chain_count > 0 && facts->error_count == 0;
    facts->first_bytes_len = 0;
    tls_facts_session(t->ssl, facts);
    ERR_clear_error();
    t->facts = NULL;
    t->wanted.name = "";
    SSL_set_app_data(t->ssl, NULL);
    *out = &t->base;
    return ST_OK;
}

void tls_last_failure(const struct net_conn *c, struct tls_failure *out)
{
    memset(out, 0, sizeof(*out));
    out->alert = -1;
    if (c != NULL && c->ops == &tls_ops) {
        *out = ((const struct tls_conn *)c)->failure;
    }
}

const char *tls_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

void tls_warm_up(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (ssl != NULL && in != NULL && out != NULL) {
        SSL_set_bio(ssl, in, out);
        (void)SSL_connect(ssl);
    } else {
        BIO_free(in);
        BIO_free(out);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
}
