/*
 * transaction: the mail transaction that is open on the live connection, read from the transcript.
 *
 * Threads: the face's. Ownership: by value.
 */
#ifndef SMTPSCOPE_TRANSACTION_H
#define SMTPSCOPE_TRANSACTION_H

#include "record.h"

#define TRANSACTION_ADDRESS_MAX 321

struct transaction {
    bool open;
    char from[TRANSACTION_ADDRESS_MAX]; /* raw; "" for the null sender */
    char to[TRANSACTION_ADDRESS_MAX];   /* the first recipient that was accepted */
    unsigned recipients;                /* accepted */
    bool utf8, eight_bit;               /* SMTPUTF8, BODY=8BITMIME or BINARYMIME were asked for */
};
/* Only as far as the transcript still holds it. */
void transaction_read(const struct record *r, struct transaction *out);

#endif
