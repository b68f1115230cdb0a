/*
 * mail_build: the test mail of a plan: its text, and the two commands that go before it.
 *
 * Threads: the engine's. Ownership: struct mail_draft owns its buffers; a message from a file is
 * borrowed from the plan.
 */
#ifndef SMTPSCOPE_MAIL_BUILD_H
#define SMTPSCOPE_MAIL_BUILD_H

#include "check.h"

#define MAIL_COMMAND_MAX SMTP_COMMAND_MAX

struct mail_draft {
    char sender[ADDRESS_TEXT];
    const char *recipient;
    struct buf built; /* the built-in message */
    struct span text; /* what is sent */
    size_t octets;    /* of it, with CRLF line ends (RFC 1870 3) */
    struct buf message_id;
    bool eight_bit, utf8;
    bool binary; /* BODY=BINARYMIME was asked for: not even line ends are touched */
    char commands[2][MAIL_COMMAND_MAX]; /* MAIL, RCPT */
};

void mail_draft_init(struct mail_draft *d);
void mail_draft_free(struct mail_draft *d);
/* The text, and in notes what is odd about it. ST_INVALID with a sentence. */
enum status mail_draft_write(struct check_context *c, struct mail_draft *d,
                             struct error *error) MUST_CHECK;
/*
 * The commands, with the parameters that the server's offer allows and those of the plan, which
 * win; for those that are against the offer or the grammar, a note says why, and they go out all
 * the same.
 */
enum status mail_draft_commands(struct check_context *c, struct mail_draft *d) MUST_CHECK;

#endif
