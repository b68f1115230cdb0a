/*
 * envelope_steps: the envelope check that several tests run, and the small steps around it.
 *
 * Threads: tests are single-threaded. Ownership: as in scripted.h.
 */
#ifndef SMTPSCOPE_TEST_ENVELOPE_STEPS_H
#define SMTPSCOPE_TEST_ENVELOPE_STEPS_H

#include "scripted.h"

/* Envelope check with pipelining, as the automatic steps do it. Returns the first status that is
   not ST_OK. */
static inline enum status envelope_any(struct talk *t, size_t *done, const int *codes)
{
    static const struct smtp_step steps[] = {
        {WAIT_MAIL, "MAIL FROM:<a@probe.example>"},
        {WAIT_RCPT, "RCPT TO:<b@mx.example>"},
        {WAIT_OTHER, "RSET"},
        {WAIT_QUIT, "QUIT"},
    };
    struct reply *replies = calloc(ARRAY_LEN(steps), sizeof(*replies));
    assert_non_null(replies);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        reply_init(&replies[i]);
    }
    *done = 0;
    enum status st = smtp_greeting(&t->s, &t->reply);
    if (st == ST_OK) {
        st = smtp_ehlo(&t->s, "probe.example", &t->reply);
    }
    if (st == ST_OK) {
        st = smtp_pipeline(&t->s, steps, ARRAY_LEN(steps), replies, done);
        for (size_t i = 0; i < *done; i++) {
            assert_true(replies[i].complete);
            assert_true(codes == NULL || replies[i].code == codes[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        reply_free(&replies[i]);
    }
    free(replies);
    return st;
}

static inline enum status envelope(struct talk *t, size_t *done)
{
    static const int codes[] = {250, 550, 250, 221};
    return envelope_any(t, done, codes);
}

#define GREETING GIVE("220 mx.example ESMTP"), EXPECT("EHLO probe.example")
#define ENVELOPE_SCRIPT                                                                            \
    GREETING, GIVE("250-mx.example hello\r\n250-SIZE 1000\r\n250 PIPELINING"),                     \
        EXPECT("MAIL FROM:<a@probe.example>\r\nRCPT TO:<b@mx.example>\r\nRSET\r\nQUIT"),           \
        GIVE("250 2.1.0 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n250 reset\r\n221 bye"), END,  \
        STOP

static inline void replies_init(struct reply *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        reply_init(&r[i]);
    }
}

static inline void replies_free(struct reply *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        reply_free(&r[i]);
    }
}

static inline void open_with(struct talk *t)
{
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
}

#endif
