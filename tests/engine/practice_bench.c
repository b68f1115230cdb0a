#include "practice_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PATIENCE_MS 600000

struct network *bench_open(const char *text, enum practice_pace pace, uint64_t seed)
{
    struct network *n = NULL;
    struct error error = {0};
    struct practice_options options = {.pace = pace, .seed = seed};
    if (practice_open_text("bench.txt", text, strlen(text), &options, &n, NULL, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    return n;
}

struct net_address bench_address(const char *text, uint16_t port)
{
    struct net_address a;
    assert_true(net_address_parse(text, &a));
    a.port = port;
    return a;
}

static int64_t patience(struct talk *t)
{
    return deadline_in_ms(net_now_us(t->net), PATIENCE_MS);
}

void talk_begin(struct talk *t, struct network *n, const char *address, uint16_t port)
{
    struct net_address to = bench_address(address, port);
    int sys = 0;
    memset(t, 0, sizeof(*t));
    t->net = n;
    buf_init(&t->in, 1u << 20);
    assert_int_equal(net_dial(n, &to, NULL, patience(t), NULL, &t->conn, &sys), ST_OK);
}

void talk_end(struct talk *t)
{
    net_close(t->conn);
    buf_free(&t->in);
}

void talk_send(struct talk *t, const char *text)
{
    assert_int_equal(net_write_all(t->net, t->conn, text, strlen(text), patience(t), NULL), ST_OK);
}

static enum status read_more(struct talk *t)
{
    char bytes[4096];
    size_t got = 0;
    enum status st = net_read_some(t->net, t->conn, bytes, sizeof(bytes), &got, patience(t), NULL);
    if (st == ST_OK) {
        assert_int_equal(buf_add(&t->in, bytes, got), ST_OK);
    }
    return st;
}

const char *talk_line(struct talk *t)
{
    const char *end;
    while (t->in.len == 0 || (end = memchr(t->in.p, '\n', t->in.len)) == NULL) {
        assert_int_equal(read_more(t), ST_OK);
    }
    size_t len = (size_t)(end - t->in.p);
    assert_true(len < sizeof(t->line));
    memcpy(t->line, t->in.p, len);
    buf_drop_front(&t->in, len + 1);
    if (len > 0 && t->line[len - 1] == '\r') {
        len--;
    }
    t->line[len] = '\0';
    t->line_len = len;
    return t->line;
}

int talk_reply(struct talk *t)
{
    do {
        talk_line(t);
    } while (t->line_len > 3 && t->line[3] == '-');
    return atoi(t->line);
}

int talk_command(struct talk *t, const char *command)
{
    talk_send(t, command);
    talk_send(t, "\r\n");
    return talk_reply(t);
}

enum status talk_until_end(struct talk *t)
{
    enum status st;
    while ((st = read_more(t)) == ST_OK) {
        buf_clear(&t->in);
    }
    return st;
}
