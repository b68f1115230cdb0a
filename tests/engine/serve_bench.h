/*
 * serve_bench: a scenario that is offered on a real socket in a thread of its own, what it told,
 * and a client on the other side of that socket. Whatever goes wrong ends the test.
 *
 * Threads: the test's thread is the clients'; what the server told may be read after bench_stop.
 * Ownership: bench_close frees all.
 */
#ifndef SMTPSCOPE_TEST_SERVE_BENCH_H
#define SMTPSCOPE_TEST_SERVE_BENCH_H

#include <pthread.h>

#include "practice_serve.h"
#include "wake.h"

struct serve_bench {
    struct network *net;
    struct practice_serve *server;
    struct wake stop;
    pthread_t thread;
    bool running;
    enum status result;
    struct buf told; /* "1 connected", "1 C: EHLO x", "1 C~ NOOP", "1 closed by ..." */
};

/* The scenario's own host and port 25, at a free port of 127.0.0.1. */
void serve_begin(struct serve_bench *b, const char *scenario, enum practice_pace pace);
void serve_begin_at(struct serve_bench *b, const char *scenario, enum practice_pace pace,
                    const struct serve_wish *wish);
/* Ends the thread; b->told is complete. */
void serve_stop(struct serve_bench *b);
void serve_close(struct serve_bench *b);
bool serve_told(const struct serve_bench *b, const char *line);

#define CALL_LINE_MAX 8192
struct call {
    int fd;
    size_t len;
    char in[CALL_LINE_MAX], line[CALL_LINE_MAX];
};

void call_begin(struct call *c, const struct serve_bench *b);
/* Without waiting for it to be accepted. */
void call_end(struct call *c);
void call_send(struct call *c, const char *text);
/* A whole reply; its last line stays in c->line. Returns the code. */
int call_reply(struct call *c);
/* Sends the command with CRLF, and returns the code of the reply. */
int call_command(struct call *c, const char *command);
/* Reads on until the connection ends: 0 for an end, else errno. */
int call_until_end(struct call *c);
/* Something can be read within so many milliseconds. */
bool call_hears(const struct call *c, int ms);

#endif
