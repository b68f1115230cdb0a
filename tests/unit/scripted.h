/*
 * scripted: a network without sockets. A script says what a server expects and gives, in what
 * pieces, after what time on a clock that only the waiting moves, and when it hangs up. It can
 * speak TLS.
 *
 * A server that gets what it did not expect fails the test at once. A wait without end does as
 * well.
 *
 * Threads: tests are single-threaded. Ownership: world_init and world_free; connections belong to
 * who dialled.
 */
#ifndef SMTPSCOPE_TEST_SCRIPTED_H
#define SMTPSCOPE_TEST_SCRIPTED_H

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "smtp.h"

enum op {
    OP_STOP, /* end of the script: silence */
    OP_EXPECT,
    OP_GIVE,
    OP_WAIT, /* number: milliseconds */
    OP_END,  /* closes its direction */
    OP_RESET,
    OP_DEAF,   /* what is written from now on meets a reset */
    OP_ROOM,   /* takes only number bytes more */
    OP_CANCEL, /* number: the level */
    OP_TLS,
    OP_ANYTHING /* takes whatever comes from now on */
};

struct act {
    enum op op;
    const char *text;
    size_t len;
    int number;
};

#define EXPECT(text)                                                                               \
    {                                                                                              \
        OP_EXPECT, text "\r\n", sizeof(text "\r\n") - 1, 0                                         \
    }
#define EXPECT_RAW(text)                                                                           \
    {                                                                                              \
        OP_EXPECT, text, sizeof(text) - 1, 0                                                       \
    }
#define GIVE(text)                                                                                 \
    {                                                                                              \
        OP_GIVE, text "\r\n", sizeof(text "\r\n") - 1, 0                                           \
    }
#define GIVE_RAW(text)                                                                             \
    {                                                                                              \
        OP_GIVE, text, sizeof(text) - 1, 0                                                         \
    }
#define WAIT(ms)                                                                                   \
    {                                                                                              \
        OP_WAIT, NULL, 0, ms                                                                       \
    }
#define END                                                                                        \
    {                                                                                              \
        OP_END, NULL, 0, 0                                                                         \
    }
#define RESET                                                                                      \
    {                                                                                              \
        OP_RESET, NULL, 0, 0                                                                       \
    }
#define DEAF                                                                                       \
    {                                                                                              \
        OP_DEAF, NULL, 0, 0                                                                        \
    }
#define ROOM(n)                                                                                    \
    {                                                                                              \
        OP_ROOM, NULL, 0, n                                                                        \
    }
#define CANCEL(level)                                                                              \
    {                                                                                              \
        OP_CANCEL, NULL, 0, level                                                                  \
    }
#define START_TLS                                                                                  \
    {                                                                                              \
        OP_TLS, NULL, 0, 0                                                                         \
    }
#define ANYTHING                                                                                   \
    {                                                                                              \
        OP_ANYTHING, NULL, 0, 0                                                                    \
    }
#define STOP                                                                                       \
    {                                                                                              \
        OP_STOP, NULL, 0, 0                                                                        \
    }

/* Something that reaches the client at a time. */
struct parcel {
    enum op op; /* OP_GIVE, OP_END, OP_RESET, OP_CANCEL */
    int64_t at_us;
    char *bytes;
    size_t len, taken;
    int number;
};

struct world {
    struct network net; /* first */
    struct cancel cancel;
    int64_t now_us;
    const struct act *script;
    size_t at;         /* of the script */
    int64_t speaks_us; /* when the server says its next word */
    struct parcel *parcels;
    size_t first, count, room_for; /* parcels on the way */
    struct buf heard;              /* decrypted, not yet expected */
    struct buf wire;               /* all that the client wrote, decrypted */
    struct buf raw;                /* to be decrypted */
    size_t given;                  /* bytes of the server so far, in clear */
    size_t room;
    bool deaf, anything, open;
    unsigned writes; /* calls that wrote something */
    /* Knobs of a test. */
    size_t piece;     /* the most that one read gets; 0: all */
    size_t write_max; /* the most that one write takes; 0: all */
    size_t split_at;  /* the server's bytes arrive in two parts; SIZE_MAX: not */
    size_t die_at;    /* after so many bytes ...; SIZE_MAX: never */
    enum op die_how;  /* ... comes this; OP_STOP: silence */
    bool dead;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *rbio, *wbio; /* owned by ssl */
};

struct scripted_conn {
    struct net_conn conn; /* first */
    struct world *w;
};

static inline struct world *world_of(struct network *n)
{
    return (struct world *)n;
}

static inline void parcel_add(struct world *w, enum op op, const char *p, size_t len, int number)
{
    if (w->first + w->count == w->room_for) {
        w->room_for = w->room_for > 0 ? 2 * w->room_for : 16;
        w->parcels = realloc(w->parcels, w->room_for * sizeof(*w->parcels));
        assert(w->parcels != NULL);
    }
    struct parcel *q = &w->parcels[w->first + w->count++];
    memset(q, 0, sizeof(*q));
    q->op = op;
    q->at_us = w->speaks_us;
    q->number = number;
    q->len = len;
    if (len > 0) {
        q->bytes = malloc(len);
        assert(q->bytes != NULL);
        memcpy(q->bytes, p, len);
    }
}

static inline void send_sealed(struct world *w)
{
    char bytes[4096];
    int n;
    while (w->ssl != NULL && (n = BIO_read(w->wbio, bytes, sizeof(bytes))) > 0) {
        parcel_add(w, OP_GIVE, bytes, (size_t)n, 0);
    }
}

static inline void give(struct world *w, const char *p, size_t len)
{
    if (w->dead) {
        return;
    }
    bool dies = w->die_at != SIZE_MAX && w->given + len > w->die_at;
    if (dies) {
        len = w->die_at - w->given;
    }
    size_t head = len;
    if (w->split_at != SIZE_MAX && w->split_at > w->given && w->split_at < w->given + len) {
        head = w->split_at - w->given;
    }
    for (int part = 0; part < 2; part++) {
        const char *from = part == 0 ? p : p + head;
        size_t n = part == 0 ? head : len - head;
        if (n > 0 && w->ssl != NULL) {
            int put = SSL_write(w->ssl, from, (int)n);
            assert(put == (int)n);
            (void)put;
            send_sealed(w);
        } else if (n > 0) {
            parcel_add(w, OP_GIVE, from, n, 0);
        }
        if (part == 0 && head < len) {
            w->speaks_us += US_PER_MS;
        }
    }
    w->given += len;
    if (dies) {
        w->dead = true;
        if (w->die_how != OP_STOP) {
            parcel_add(w, w->die_how, NULL, 0, 0);
        }
    }
}

/* Decrypts what came; false while the handshake is not done. */
static inline bool unseal(struct world *w)
{
    char bytes[4096];
    int n;
    if (w->ssl == NULL) {
        return true;
    }
    if (w->raw.len > 0) {
        BIO_write(w->rbio, w->raw.p, (int)w->raw.len);
        buf_clear(&w->raw);
    }
    if (!SSL_is_init_finished(w->ssl)) {
        int rc = SSL_do_handshake(w->ssl);
        send_sealed(w);
        if (rc != 1) {
            return false;
        }
    }
    while ((n = SSL_read(w->ssl, bytes, sizeof(bytes))) > 0) {
        assert_int_equal(buf_add(&w->heard, bytes, (size_t)n), ST_OK);
        assert_int_equal(buf_add(&w->wire, bytes, (size_t)n), ST_OK);
    }
    return true;
}

static inline void start_tls(struct world *w)
{
    w->ssl = SSL_new(w->ctx);
    w->rbio = BIO_new(BIO_s_mem());
    w->wbio = BIO_new(BIO_s_mem());
    assert(w->ssl != NULL && w->rbio != NULL && w->wbio != NULL);
    SSL_set_bio(w->ssl, w->rbio, w->wbio);
    SSL_set_accept_state(w->ssl);
    /* What came too early is the beginning of the handshake. */
    assert_int_equal(buf_add(&w->raw, buf_str(&w->heard), w->heard.len), ST_OK);
    buf_clear(&w->heard);
}

static inline bool hear(struct world *w, const struct act *a)
{
    size_t n = w->heard.len < a->len ? w->heard.len : a->len;
    if (memcmp(buf_str(&w->heard), a->text, n) != 0) {
        fail_msg("step %zu expected <%s> and got <%s>", w->at, a->text, buf_str(&w->heard));
    }
    if (n < a->len) {
        return false;
    }
    buf_drop_front(&w->heard, n);
    return true;
}

static inline void advance(struct world *w)
{
    if (!unseal(w)) {
        return;
    }
    for (;;) {
        const struct act *a = &w->script[w->at];
        w->speaks_us = w->speaks_us > w->now_us ? w->speaks_us : w->now_us;
        switch (a->op) {
        case OP_STOP:
            if (w->heard.len > 0 && !w->anything && !w->dead) {
                fail_msg("at the end of the script came <%s>", buf_str(&w->heard));
            }
            return;
        case OP_EXPECT:
            if (!hear(w, a)) {
                return;
            }
            break;
        case OP_GIVE:
            give(w, a->text, a->len);
            break;
        case OP_WAIT:
            w->speaks_us += a->number * US_PER_MS;
            break;
        case OP_END:
        case OP_RESET:
        case OP_CANCEL:
            if (!w->dead) {
                parcel_add(w, a->op, NULL, 0, a->number);
            }
            break;
        case OP_DEAF:
            w->deaf = true;
            break;
        case OP_ROOM:
            w->room = (size_t)a->number;
            break;
        case OP_TLS:
            start_tls(w);
            w->at++;
            if (!unseal(w)) {
                return;
            }
            continue;
        case OP_ANYTHING:
            w->anything = true;
            buf_clear(&w->heard);
            break;
        }
        w->at++;
    }
}

static inline void parcel_done(struct world *w)
{
    free(w->parcels[w->first].bytes);
    w->first++;
    w->count--;
}

/* The parcel that can be read now. A cancel that is due happens on the way. */
static inline struct parcel *parcel_due(struct world *w)
{
    while (w->count > 0 && w->parcels[w->first].at_us <= w->now_us) {
        struct parcel *q = &w->parcels[w->first];
        if (q->op != OP_CANCEL) {
            return q;
        }
        cancel_request(&w->cancel, (enum cancel_level)q->number);
        parcel_done(w);
    }
    return NULL;
}

static inline enum status scripted_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct world *w = ((struct scripted_conn *)c)->w;
    advance(w);
    struct parcel *q = parcel_due(w);
    if (q == NULL) {
        return ST_AGAIN;
    }
    if (q->op != OP_GIVE) {
        return q->op == OP_END ? ST_EOF : ST_RESET;
    }
    size_t n = q->len - q->taken < len ? q->len - q->taken : len;
    n = w->piece > 0 && n > w->piece ? w->piece : n;
    memcpy(p, q->bytes + q->taken, n);
    q->taken += n;
    *got = n;
    if (q->taken == q->len) {
        parcel_done(w);
    }
    return ST_OK;
}

static inline enum status scripted_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct world *w = ((struct scripted_conn *)c)->w;
    advance(w);
    if (w->deaf) {
        return ST_RESET;
    }
    size_t n = len < w->room ? len : w->room;
    n = w->write_max > 0 && n > w->write_max ? w->write_max : n;
    if (n == 0) {
        return ST_AGAIN;
    }
    if (w->ssl != NULL) {
        assert_int_equal(buf_add(&w->raw, p, n), ST_OK);
    } else {
        assert_int_equal(buf_add(&w->wire, p, n), ST_OK);
        assert_int_equal(buf_add(&w->heard, p, n), ST_OK);
        if (w->anything) {
            buf_clear(&w->heard);
        }
    }
    w->room -= w->room == SIZE_MAX ? 0 : n;
    w->writes++;
    *put = n;
    advance(w);
    return ST_OK;
}

static inline void scripted_shut(struct net_conn *c)
{
    (void)c;
}

static inline void scripted_close(struct net_conn *c)
{
    ((struct scripted_conn *)c)->w->open = false;
    free(c);
}

static const struct net_conn_ops scripted_conn_ops = {
    .read = scripted_read,
    .write = scripted_write,
    .shut_write = scripted_shut,
    .close = scripted_close,
};

static inline int64_t scripted_now(struct network *n)
{
    return world_of(n)->now_us;
}

static inline int64_t scripted_wall(struct network *n)
{
    (void)n;
    return clock_wall_us();
}

static inline void scripted_random(struct network *n, void *p, size_t len)
{
    (void)n;
    memset(p, 0, len);
}

static inline enum status scripted_wait(struct network *n, struct net_wait_item *items,
                                        size_t count, int64_t deadline, struct cancel *cancel,
                                        bool until_wake)
{
    struct world *w = world_of(n);
    (void)until_wake;
    assert_int_equal(count, 1);
    for (;;) {
        advance(w);
        bool readable = parcel_due(w) != NULL;
        bool writable = w->room > 0;
        if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
            return ST_CANCELLED;
        }
        items[0].ready = (readable ? NET_READ : 0u) | (writable ? NET_WRITE : 0u);
        items[0].ready &= items[0].want;
        if (items[0].ready != 0) {
            return ST_OK;
        }
        if (w->now_us >= deadline) {
            return ST_TIMEOUT;
        }
        /* Parcels that came out of order in time arrive in order all the same. */
        int64_t next = w->count > 0 ? w->parcels[w->first].at_us : NO_DEADLINE;
        next = next <= w->now_us ? w->now_us + 1 : next;
        if (next == NO_DEADLINE && deadline == NO_DEADLINE) {
            fail_msg("waits for ever");
        }
        w->now_us = next < deadline ? next : deadline;
    }
}

static const struct network_ops scripted_network_ops = {
    .now_us = scripted_now,
    .wall_us = scripted_wall,
    .random = scripted_random,
    .wait = scripted_wait,
};

static inline void world_init(struct world *w, const struct act *script)
{
    memset(w, 0, sizeof(*w));
    w->net.ops = &scripted_network_ops;
    w->now_us = US_PER_S;
    w->script = script;
    w->room = SIZE_MAX;
    w->split_at = w->die_at = SIZE_MAX;
    buf_init(&w->heard, 1 << 24);
    buf_init(&w->wire, 1 << 24);
    buf_init(&w->raw, 1 << 24);
    assert_int_equal(cancel_init(&w->cancel), ST_OK);
}

static inline void world_free(struct world *w)
{
    while (w->count > 0) {
        parcel_done(w);
    }
    free(w->parcels);
    buf_free(&w->heard);
    buf_free(&w->wire);
    buf_free(&w->raw);
    SSL_free(w->ssl);
    cancel_fini(&w->cancel);
    assert_false(w->open);
}

static inline struct net_conn *world_dial(struct world *w)
{
    struct scripted_conn *c = calloc(1, sizeof(*c));
    assert(c != NULL);
    c->conn.ops = &scripted_conn_ops;
    c->w = w;
    w->open = true;
    return &c->conn;
}

/* A server context with a self-signed certificate for mx.example, which goes to pem as well. */
static inline SSL_CTX *server_context(struct buf *pem)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert(key != NULL && cert != NULL && ctx != NULL);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"mx.example", -1,
                               -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:mx.example");
    assert(san != NULL);
    X509_add_ext(cert, san, -1);
    X509_EXTENSION_free(san);
    int rc = X509_sign(cert, key, EVP_sha256()) > 0 && SSL_CTX_use_certificate(ctx, cert) == 1 &&
             SSL_CTX_use_PrivateKey(ctx, key) == 1;
    assert(rc);
    (void)rc;
    if (pem != NULL) {
        char *text;
        BIO *bio = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(bio, cert);
        long len = BIO_get_mem_data(bio, &text);
        assert_int_equal(buf_add(pem, text, (size_t)len), ST_OK);
        BIO_free(bio);
    }
    EVP_PKEY_free(key);
    X509_free(cert);
    return ctx;
}

/* What the tap heard: one line each, "C ", "S ", "N " or "T ", with "!" for odd and "#" for manual.
 */
struct ear {
    struct buf log;   /* with waits */
    struct buf lines; /* without */
    uint32_t count;
};

static inline uint32_t ear_line(void *ctx, enum smtp_dir dir, bool tls, unsigned flags,
                                const char *p, size_t len)
{
    struct ear *ear = ctx;
    struct buf line;
    buf_init(&line, 1 << 20);
    assert_int_equal(
        buf_addf(&line, "%c%s%s%s%s%s ", "CSNT"[dir], tls ? "*" : "",
                 (flags & LINE_ODD) != 0 ? "!" : "", (flags & LINE_REDACTED) != 0 ? "~" : "",
                 (flags & LINE_CUT) != 0 ? ">" : "", (flags & LINE_MANUAL) != 0 ? "#" : ""),
        ST_OK);
    assert_int_equal(buf_add(&line, p, len), ST_OK);
    assert_int_equal(buf_add_char(&line, '\n'), ST_OK);
    assert_int_equal(buf_add(&ear->log, line.p, line.len), ST_OK);
    assert_int_equal(buf_add(&ear->lines, line.p, line.len), ST_OK);
    buf_free(&line);
    return ++ear->count;
}

static inline void ear_wait(void *ctx, enum smtp_wait what, int limit_ms)
{
    struct ear *ear = ctx;
    if (what != WAIT_NONE) {
        assert_int_equal(buf_addf(&ear->log, "W %s %d\n", smtp_wait_name(what), limit_ms), ST_OK);
    } else {
        assert_int_equal(buf_add_str(&ear->log, "W -\n"), ST_OK);
    }
}

/* A world, an ear and a conversation that is connected. */
struct talk {
    struct world w;
    struct ear ear;
    struct smtp s;
    struct reply reply;
    struct error error;
};

static inline struct talk *talk_new(const struct act *script)
{
    struct talk *t = calloc(1, sizeof(*t));
    assert(t != NULL);
    world_init(&t->w, script);
    buf_init(&t->ear.log, 1 << 26);
    buf_init(&t->ear.lines, 1 << 26);
    reply_init(&t->reply);
    const struct tap tap = {.ctx = &t->ear, .line = ear_line, .wait = ear_wait};
    smtp_init(&t->s, &t->w.net, &t->w.cancel, &tap, &smtp_limits_rfc5321);
    smtp_attach(&t->s, world_dial(&t->w));
    return t;
}

static inline void talk_free(struct talk *t)
{
    smtp_free(&t->s);
    reply_free(&t->reply);
    world_free(&t->w);
    buf_free(&t->ear.log);
    buf_free(&t->ear.lines);
    free(t);
}

/* All of the script was played. */
static inline void talk_done(struct talk *t)
{
    advance(&t->w);
    assert_int_equal(t->w.script[t->w.at].op, OP_STOP);
    talk_free(t);
}

static inline bool bytes_hold(const struct buf *b, const char *p, size_t len)
{
    return len > 0 && b->len >= len && memmem(b->p, b->len, p, len) != NULL;
}

static inline void assert_told(const struct talk *t, const char *text)
{
    if (!bytes_hold(&t->ear.log, text, strlen(text))) {
        fail_msg("<%s> was not told in:\n%s", text, buf_str(&t->ear.log));
    }
}

static inline void assert_not_told(const struct talk *t, const char *text)
{
    if (bytes_hold(&t->ear.log, text, strlen(text))) {
        fail_msg("<%s> was told in:\n%s", text, buf_str(&t->ear.log));
    }
}

#endif
