#include "fake_smtp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define HEARD_MAX ((size_t)1 << 20)
/* Only a hang takes that long. */
#define PATIENCE_S 60

struct connection {
    struct fake_smtp *server;
    const struct fake_smtp_rule *rules;
    int fd;
    SSL *ssl; /* NULL in clear */
    pthread_t thread;
    struct buf heard;
    size_t taken; /* of heard: answered already */
    bool silent;
};

struct fake_smtp {
    struct fake_smtp_config config;
    SSL_CTX *ctx;
    int listener;
    int stop[2]; /* readable from when the server has to end */
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct connection all[FAKE_SMTP_CONNECTIONS];
    size_t begun, ended; /* under the lock */
};

/* What a server does that has nothing wrong with it. */
static const struct fake_smtp_rule sound[] = {
    {.verb = FAKE_ON_CONNECT, .send = "220 mx.example.net ESMTP\r\n"},
    {.verb = "EHLO", .send = "250-mx.example.net\r\n250-PIPELINING\r\n250 SIZE 52428800\r\n"},
    {.verb = "HELO", .send = "250 mx.example.net\r\n"},
    {.verb = "MAIL", .send = "250 2.1.0 Ok\r\n"},
    {.verb = "RCPT", .send = "250 2.1.5 Ok\r\n"},
    {.verb = "DATA", .send = "354 Go ahead\r\n"},
    {.verb = "RSET", .send = "250 2.0.0 Ok\r\n"},
    {.verb = "NOOP", .send = "250 2.0.0 Ok\r\n"},
    {.verb = "STARTTLS", .send = "220 2.0.0 Go ahead\r\n", .then = FAKE_TLS},
    {.verb = "QUIT", .send = "221 2.0.0 Bye\r\n", .then = FAKE_CLOSE},
    {.verb = "", .send = "502 5.5.2 What?\r\n"},
    {.verb = NULL},
};

static const struct fake_smtp_rule *find(const struct fake_smtp_rule *rules, const char *line)
{
    for (; rules != NULL && rules->verb != NULL; rules++) {
        if (strncasecmp(rules->verb, line, strlen(rules->verb)) == 0) {
            return rules;
        }
    }
    return NULL;
}

/* False: the server has to end. */
static bool wait_ms(const struct fake_smtp *s, unsigned ms)
{
    struct pollfd p = {.fd = s->stop[0], .events = POLLIN};
    return ms == 0 || poll(&p, 1, (int)ms) == 0;
}

static bool put(struct connection *c, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n =
            c->ssl != NULL ? SSL_write(c->ssl, p, (int)len) : send(c->fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool say_once(struct connection *c, const struct fake_smtp_rule *rule)
{
    const char *p = rule->send;
    size_t left = strlen(p);
    size_t piece = rule->piece > 0 ? rule->piece : left;
    for (size_t at = 0; left > 0; at++) {
        size_t n = at == 0 && rule->split > 0 ? rule->split : piece;
        n = n < left ? n : left;
        if ((at > 0 && !wait_ms(c->server, rule->gap_ms)) || !put(c, p, n)) {
            return false;
        }
        p += n;
        left -= n;
    }
    return true;
}

static bool say(struct connection *c, const struct fake_smtp_rule *rule)
{
    unsigned times = rule->times > 0 ? rule->times : 1;
    if (!wait_ms(c->server, rule->pause_ms)) {
        return false;
    }
    for (unsigned i = 0; rule->send != NULL && (times == FAKE_FOR_EVER || i < times); i++) {
        if (!say_once(c, rule)) {
            return false;
        }
    }
    return true;
}

/* False: the client is gone, or we are to go. */
static bool hear(struct connection *c)
{
    char bytes[4096];
    ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, bytes, sizeof(bytes))
                               : recv(c->fd, bytes, sizeof(bytes), 0);
    if (n <= 0) {
        return false;
    }
    NEED(buf_add(&c->heard, bytes, (size_t)n) == ST_OK);
    return true;
}

static bool encrypt(struct connection *c)
{
    static const char mark[] = "<TLS>\n";
    NEED(c->server->ctx != NULL);
    c->ssl = SSL_new(c->server->ctx);
    NEED(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1);
    if (SSL_accept(c->ssl) != 1) {
        return false;
    }
    c->rules = c->server->config.tls;
    NEED(buf_add(&c->heard, mark, strlen(mark)) == ST_OK);
    c->taken = c->heard.len;
    return true;
}

static void hang_up(struct connection *c, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (c->ssl != NULL) {
        if (!reset) {
            (void)SSL_shutdown(c->ssl);
        }
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    ERR_clear_error();
    if (reset) {
        NEED(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
    }
    pthread_mutex_lock(&c->server->lock);
    close(c->fd);
    c->fd = -1;
    c->server->ended++;
    pthread_cond_broadcast(&c->server->changed);
    pthread_mutex_unlock(&c->server->lock);
}

/* True: the conversation goes on. */
static bool follow(struct connection *c, const struct fake_smtp_rule *rule, bool *reset)
{
    if (!say(c, rule)) {
        return false;
    }
    switch (rule->then) {
    case FAKE_GO_ON:
        return true;
    case FAKE_CLOSE:
        return false;
    case FAKE_RESET:
        *reset = true;
        return false;
    case FAKE_HALF_CLOSE:
        (void)shutdown(c->fd, SHUT_WR);
        c->silent = true;
        return true;
    case FAKE_STALL:
        c->silent = true;
        return true;
    case FAKE_LISTEN:
        if (!hear(c)) {
            return false;
        }
        c->taken = c->heard.len;
        rule = find(c->rules, FAKE_ON_OCTETS);
        NEED(rule != NULL && rule->then != FAKE_LISTEN);
        return follow(c, rule, reset);
    case FAKE_TLS:
        return encrypt(c);
    }
    return false;
}

static bool answer(struct connection *c, const char *line, bool *reset)
{
    const struct fake_smtp_rule *rule = find(c->rules, line);
    return follow(c, rule != NULL ? rule : find(sound, line), reset);
}

/* The next line that is there, cut out of what was heard. False: none yet. */
static bool next_line(struct connection *c, char *line, size_t size)
{
    const char *p = buf_str(&c->heard) + c->taken;
    size_t left = c->heard.len - c->taken;
    const char *lf = left > 0 ? memchr(p, '\n', left) : NULL;
    if (lf == NULL || c->silent) {
        return false;
    }
    size_t len = (size_t)(lf - p) + 1;
    snprintf(line, size, "%.*s", (int)len, p);
    c->taken += len;
    return true;
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    char line[1024];
    bool reset = false;
    bool on = answer(c, FAKE_ON_CONNECT, &reset);
    while (on) {
        if (next_line(c, line, sizeof(line))) {
            on = answer(c, line, &reset);
        } else {
            on = hear(c);
        }
    }
    hang_up(c, reset);
    return NULL;
}

static void begin(struct fake_smtp *s, int fd)
{
    int yes = 1;
    NEED(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0);
    pthread_mutex_lock(&s->lock);
    if (s->begun == FAKE_SMTP_CONNECTIONS) {
        close(fd);
    } else {
        struct connection *c = &s->all[s->begun];
        bool later = s->begun > 0 && s->config.later != NULL;
        c->server = s;
        c->rules = later ? s->config.later : s->config.rules;
        c->fd = fd;
        buf_init(&c->heard, HEARD_MAX);
        NEED(pthread_create(&c->thread, NULL, serve, c) == 0);
        s->begun++;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *take(void *arg)
{
    struct fake_smtp *s = arg;
    for (;;) {
        struct pollfd p[] = {{.fd = s->listener, .events = POLLIN},
                             {.fd = s->stop[0], .events = POLLIN}};
        if (poll(p, 2, -1) < 0) {
            NEED(errno == EINTR);
            continue;
        }
        if (p[1].revents != 0) {
            return NULL;
        }
        int fd = accept(s->listener, NULL, NULL);
        if (fd >= 0) {
            begin(s, fd);
        }
    }
}

static int listen_on(int family, uint16_t *port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool six = family == 6;
    struct sockaddr *a = six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = six ? sizeof(v6) : sizeof(v4);
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, a, len) != 0) {
        NEED(six);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    NEED(listen(fd, FAKE_SMTP_CONNECTIONS) == 0);
    NEED(getsockname(fd, a, &len) == 0);
    *port = ntohs(six ? v6.sin6_port : v4.sin_port);
    return fd;
}

static void load_certificate(struct fake_smtp *s)
{
    const struct testcert *cert = s->config.cert;
    if (cert == NULL) {
        return;
    }
    s->ctx = SSL_CTX_new(TLS_server_method());
    NEED(s->ctx != NULL);
    NEED(SSL_CTX_use_certificate(s->ctx, cert->cert) == 1);
    NEED(SSL_CTX_use_PrivateKey(s->ctx, cert->key) == 1);
}

struct fake_smtp *fake_smtp_start(const struct fake_smtp_config *config)
{
    sigset_t pipe_signal;
    sigset_t before;
    uint16_t port = 0;
    int listener = listen_on(config->family, &port);
    if (listener < 0) {
        return NULL;
    }
    struct fake_smtp *s = calloc(1, sizeof(*s));
    NEED(s != NULL);
    s->config = *config;
    s->listener = listener;
    s->port = port;
    load_certificate(s);
    NEED(pipe(s->stop) == 0);
    NEED(pthread_mutex_init(&s->lock, NULL) == 0);
    NEED(pthread_cond_init(&s->changed, NULL) == 0);
    /* In the server's threads alone, which inherit it: SIGPIPE in the client would be a mistake of
       the client's. */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    NEED(pthread_sigmask(SIG_BLOCK, &pipe_signal, &before) == 0);
    NEED(pthread_create(&s->thread, NULL, take, s) == 0);
    NEED(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return s;
}

void fake_smtp_stop(struct fake_smtp *s)
{
    NEED(write(s->stop[1], "", 1) == 1);
    NEED(pthread_join(s->thread, NULL) == 0);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->begun; i++) {
        if (s->all[i].fd >= 0) {
            (void)shutdown(s->all[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->begun; i++) {
        NEED(pthread_join(s->all[i].thread, NULL) == 0);
        buf_free(&s->all[i].heard);
    }
    close(s->listener);
    close(s->stop[0]);
    close(s->stop[1]);
    SSL_CTX_free(s->ctx);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint16_t fake_smtp_port(const struct fake_smtp *s)
{
    return s->port;
}

void fake_smtp_settle(struct fake_smtp *s, size_t connections)
{
    struct timespec until;
    NEED(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&s->lock);
    while (s->begun < connections || s->ended < s->begun) {
        NEED(pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0);
    }
    pthread_mutex_unlock(&s->lock);
}

const struct buf *fake_smtp_heard(const struct fake_smtp *s, size_t connection)
{
    NEED(connection < s->begun);
    return &s->all[connection].heard;
}
