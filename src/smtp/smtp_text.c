#include "smtp.h"

#include <string.h>

#include "compose.h"
#include "smtp_impl.h"
#include "text.h"

#define BLOCK_SIZE (16 * 1024)
/* What the transcript keeps of a message. */
#define HEAD_LINES 24
#define TAIL_LINES 4

static size_t line_len(const char *p, size_t len)
{
    const char *lf = memchr(p, '\n', len);
    return lf != NULL ? (size_t)(lf - p) + 1 : len;
}

static void tell_line(struct smtp *s, const char *p, size_t len)
{
    wire_tell(s, DIR_CLIENT, LINE_BODY, p, len >= 2 ? len - 2 : 0);
}

static size_t tell_head(struct smtp *s, const struct buf *wire)
{
    size_t at = 0;
    for (int i = 0; i < HEAD_LINES && at < wire->len; i++) {
        size_t n = line_len(wire->p + at, wire->len - at);
        tell_line(s, wire->p + at, n);
        at += n;
    }
    return at;
}

/* The last lines, but none that the head has shown. */
static void tell_tail(struct smtp *s, const struct buf *wire, size_t shown)
{
    size_t at = wire->len;
    for (int i = 0; i < TAIL_LINES && at > shown; i++) {
        size_t begin = at - 1;
        while (begin > shown && wire->p[begin - 1] != '\n') {
            begin--;
        }
        at = begin;
    }
    if (at > shown) {
        wire_note(s, DIR_NOTE,
                  Q_("%zu byte of the message is not shown.",
                     "%zu bytes of the message are not shown.", at - shown),
                  at - shown);
    }
    while (at < wire->len) {
        size_t n = line_len(wire->p + at, wire->len - at);
        tell_line(s, wire->p + at, n);
        at += n;
    }
}

/*
 * Looks for a reply that comes before its time. A refusal counts, since nothing else will follow
 * it; an acceptance of what was not sent yet is nothing that a server may say.
 */
static enum status early_reply(struct smtp *s, int64_t sent_us, struct reply *reply, bool *refused)
{
    *refused = false;
    enum status st = wire_poll_all(s);
    struct span in = wire_in(s);
    if (in.len > 0 && (in.p[0] == '4' || in.p[0] == '5') && memchr(in.p, '\n', in.len) != NULL) {
        *refused = true;
        int64_t deadline = deadline_in_ms(net_now_us(s->net), smtp_limit_ms(s, WAIT_DOT));
        return wire_reply(s, WAIT_DOT, sent_us, deadline, reply);
    }
    return st == ST_AGAIN ? ST_OK : wire_fail(s, st, WAIT_BLOCK);
}

static enum status send_block(struct smtp *s, const char *p, size_t len)
{
    size_t put = 0;
    int limit = s->limits.block;
    if (s->tap.wait != NULL) {
        s->tap.wait(s->tap.ctx, WAIT_BLOCK, limit);
    }
    enum status st = wire_write(s, p, len, deadline_in_ms(net_now_us(s->net), limit), &put);
    if (s->tap.wait != NULL) {
        s->tap.wait(s->tap.ctx, WAIT_NONE, 0);
    }
    return st;
}

/* Sends without the dot. *refused: the reply is there already. */
static enum status send_blocks(struct smtp *s, const struct buf *wire, int64_t sent_us,
                               struct reply *reply, bool *refused)
{
    enum status st = ST_OK;
    *refused = false;
    for (size_t at = 0; at < wire->len && st == ST_OK && !*refused;) {
        size_t n = wire->len - at < BLOCK_SIZE ? wire->len - at : BLOCK_SIZE;
        st = send_block(s, wire->p + at, n);
        at += n;
        if (st == ST_TIMEOUT) {
            st = wire_fail(s, st, WAIT_BLOCK);
        } else if (st != ST_CANCELLED) {
            /* The link broke: the reason may be lying here. */
            enum status broken = st;
            st = early_reply(s, sent_us, reply, refused);
            st =
                st == ST_OK && !*refused && broken != ST_OK ? wire_fail(s, broken, WAIT_BLOCK) : st;
        }
    }
    return st;
}

/* RFC 5321 4.1.1.4 takes a message without its dot for nothing, so this takes nothing back. */
static enum status give_up(struct smtp *s)
{
    wire_note(s, DIR_NOTE,
              _("Stopped inside the message: the connection was closed without the final dot."));
    smtp_close(s, ST_CANCELLED);
    return ST_CANCELLED;
}

static enum status send_dot(struct smtp *s, struct reply *reply)
{
    struct outgoing dot = {
        .verb = VERB_DOT, .wait = WAIT_DOT, .line = ".", .len = 1, .flags = LINE_BODY};
    size_t owed = s->owed;
    enum status st = smtp_exchange(s, &dot, reply);
    if (st == ST_CANCELLED && s->owed == owed) {
        return give_up(s);
    }
    if (st == ST_CANCELLED) {
        s->state = SMTP_READY;
        wire_note(s, DIR_NOTE,
                  _("Stopped after the final dot: the server may have accepted the message."));
    }
    return st;
}

static enum status send_stuffed(struct smtp *s, const struct buf *wire, struct reply *reply)
{
    bool refused = false;
    int64_t sent_us = net_now_us(s->net);
    size_t shown = tell_head(s, wire);
    enum status st = send_blocks(s, wire, sent_us, reply, &refused);
    if (st == ST_CANCELLED) {
        return s->conn != NULL ? give_up(s) : st;
    }
    if (st != ST_OK) {
        return st;
    }
    if (refused) {
        wire_note(s, DIR_NOTE,
                  _("The server refused before the message was sent; the connection was closed."));
        wire_redact(s, reply);
        smtp_close(s, ST_OK);
        return ST_OK;
    }
    tell_tail(s, wire, shown);
    return send_dot(s, reply);
}

enum status smtp_send_text(struct smtp *s, const char *p, size_t len, struct reply *reply)
{
    struct buf wire;
    reply_reset(reply);
    if (s->conn == NULL) {
        return smtp_gone(s);
    }
    if (s->state != SMTP_TEXT) {
        return ST_INVALID;
    }
    /* What came along with the 354 is not the reply to the message. */
    enum status st = wire_unasked(s, 0);
    if (st != ST_AGAIN) {
        return wire_fail(s, st, WAIT_BLOCK);
    }
    buf_init(&wire, len < SIZE_MAX / 4 ? 4 * len + 2 : len);
    st = compose_stuff(&wire, p, len);
    if (st == ST_OK) {
        st = send_stuffed(s, &wire, reply);
    } else {
        smtp_close(s, st);
    }
    buf_free(&wire);
    return st;
}
