/*
 * practice_bridge: one accepted connection and its stream in the practice world, and the bytes
 * between the two.
 *
 * Each direction holds one piece besides what kernel and world hold, and reads no more before that
 * piece is gone: whoever does not read makes the other side wait.
 *
 * Threads: that of the server. Ownership: bridge_close closes both sides and frees; the world
 * outlives it.
 */
#ifndef SMTPSCOPE_PRACTICE_BRIDGE_H
#define SMTPSCOPE_PRACTICE_BRIDGE_H

#include "practice_serve.h"
#include "practice_world.h"

#define PIECE_MAX 16384

struct piece {
    size_t off, len;
    char bytes[PIECE_MAX];
};

struct bridge {
    int fd;
    struct practice_conn *conn;
    struct piece up, down;           /* to the server, to the client */
    bool readable, writable;         /* the socket, as far as we know */
    bool client_ended, server_ended; /* no more bytes from there */
    enum serve_end end;              /* who was first */
    int64_t forget_us;               /* on the real clock; NO_DEADLINE for never */
    unsigned number, world_number;   /* for people, and in what the world logs (0: nothing) */
    struct net_address peer;
    bool begun; /* the server has noticed the connection */
};

/* Takes the socket over if it succeeds. NULL: no memory, or the socket is not good any more. */
struct bridge *bridge_new(struct practice *w, const struct net_address *to, int fd);
/* `end` says how: a reset by the server is one for the client. */
void bridge_close(struct bridge *b, enum serve_end end);
/* Moves what can be moved, both ways. False: it is over, and b->end says why. */
bool bridge_pump(struct bridge *b);
/* What poll has to look for, and what it found. False: it is over. */
short bridge_events(const struct bridge *b);
bool bridge_found(struct bridge *b, short events);
/* When the world has to be looked after next, on its clock. */
int64_t bridge_next_us(const struct bridge *b);
/* The same without the time that the server gives its client. */
int64_t bridge_jump_us(const struct bridge *b);

#endif
