#include "serve_bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define TOLD_MAX (4u << 20)
#define PATIENCE_MS 120000 /* before a test gives up */

static const char *end_name(enum serve_end end)
{
    switch (end) {
    case SERVE_END_CLIENT:
        return "closed by the client";
    case SERVE_END_CLIENT_RESET:
        return "reset by the client";
    case SERVE_END_SERVER:
        return "closed by the server";
    case SERVE_END_SERVER_RESET:
        return "reset by the server";
    case SERVE_END_STOPPED:
        break;
    }
    return "stopped";
}

static void note(void *ctx, const struct serve_event *e)
{
    struct serve_bench *b = ctx;
    enum status st = ST_OK;
    switch (e->kind) {
    case SERVE_CONNECTED:
        st = buf_addf(&b->told, "%u connected\n", e->client);
        break;
    case SERVE_COMMAND:
        st = buf_addf(&b->told, "%u %s %.*s\n", e->client, e->tls ? "C~" : "C:", (int)e->len,
                      e->text);
        break;
    case SERVE_CLOSED:
        st = buf_addf(&b->told, "%u %s\n", e->client, end_name(e->end));
        break;
    }
    if (st != ST_OK) {
        abort();
    }
}

static void *serve_thread(void *arg)
{
    struct serve_bench *b = arg;
    struct error error;
    b->result = practice_serve_run(b->server, b->stop.rd, note, b, &error);
    return NULL;
}

void serve_begin_at(struct serve_bench *b, const char *scenario, enum practice_pace pace,
                    const struct serve_wish *wish)
{
    struct error error = {.text = ""};
    const struct practice_options options = {.pace = pace};
    memset(b, 0, sizeof(*b));
    buf_init(&b->told, TOLD_MAX);
    assert_int_equal(wake_init(&b->stop), ST_OK);
    if (practice_open_text("bench.txt", scenario, strlen(scenario), &options, &b->net, NULL,
                           &error) != ST_OK ||
        practice_serve_open(b->net, wish, &b->server, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(pthread_create(&b->thread, NULL, serve_thread, b), 0);
    b->running = true;
}

void serve_begin(struct serve_bench *b, const char *scenario, enum practice_pace pace)
{
    struct serve_wish wish = {.domain = "example.org", .port = 25};
    assert_true(net_address_parse("127.0.0.1", &wish.listen));
    serve_begin_at(b, scenario, pace, &wish);
}

void serve_stop(struct serve_bench *b)
{
    if (b->running) {
        wake_call(&b->stop);
        assert_int_equal(pthread_join(b->thread, NULL), 0);
        b->running = false;
        assert_int_equal(b->result, ST_OK);
    }
}

void serve_close(struct serve_bench *b)
{
    serve_stop(b);
    practice_serve_close(b->server);
    net_network_close(b->net);
    wake_fini(&b->stop);
    buf_free(&b->told);
}

bool serve_told(const struct serve_bench *b, const char *line)
{
    size_t len = strlen(line);
    for (const char *p = buf_str(&b->told); *p != '\0'; p += strcspn(p, "\n") + 1) {
        if (strncmp(p, line, len) == 0 && p[len] == '\n') {
            return true;
        }
    }
    return false;
}

void call_begin(struct call *c, const struct serve_bench *b)
{
    const struct net_address *at = &practice_serve_offer(b->server)->listen;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(at->port)};
    memcpy(&to.sin_addr, at->bytes, 4);
    memset(c, 0, sizeof(*c));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (const struct sockaddr *)&to, sizeof(to)), 0);
}

void call_end(struct call *c)
{
    close(c->fd);
    c->fd = -1;
}

void call_send(struct call *c, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(c->fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

bool call_hears(const struct call *c, int ms)
{
    struct pollfd fd = {.fd = c->fd, .events = POLLIN};
    return poll(&fd, 1, ms) == 1;
}

/* How many bytes came; 0 at the end, -1 with errno. */
static ssize_t hear(struct call *c)
{
    if (!call_hears(c, PATIENCE_MS)) {
        fail_msg("nothing came any more behind \"%s\"", c->line);
    }
    ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);
    c->len += n > 0 ? (size_t)n : 0;
    return n;
}

static void next_line(struct call *c)
{
    const char *end;
    while ((end = memchr(c->in, '\n', c->len)) == NULL) {
        assert_true(c->len < sizeof(c->in));
        if (hear(c) <= 0) {
            fail_msg("the connection ended behind \"%s\"", c->line);
        }
    }
    size_t used = (size_t)(end - c->in) + 1;
    size_t len = used - 1;
    len -= len > 0 && c->in[len - 1] == '\r' ? 1 : 0;
    memcpy(c->line, c->in, len);
    c->line[len] = '\0';
    memmove(c->in, c->in + used, c->len - used);
    c->len -= used;
}

int call_reply(struct call *c)
{
    do {
        next_line(c);
    } while (strlen(c->line) > 3 && c->line[3] == '-');
    return atoi(c->line);
}

int call_command(struct call *c, const char *command)
{
    call_send(c, command);
    call_send(c, "\r\n");
    return call_reply(c);
}

int call_until_end(struct call *c)
{
    ssize_t n;
    do {
        c->len = 0;
        n = hear(c);
    } while (n > 0);
    return n == 0 ? 0 : errno;
}
