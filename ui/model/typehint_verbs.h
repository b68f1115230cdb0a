/*
 * typehint_verbs: the verbs of SMTP as data, and what the server offered; for the files of
 * typehint.
 *
 * Threads: the face's. Ownership: const data and the caller's buffers.
 */
#ifndef SMTPSCOPE_TYPEHINT_VERBS_H
#define SMTPSCOPE_TYPEHINT_VERBS_H

#include "envelope.h"
#include "typehint.h"

#define MECHANISM_MAX 40 /* RFC 4422 allows 20 */
#define MECHANISMS_MAX 32

/* A verb with its grammar (RFC 5321 4.1.1 and extensions), and the states in which it is in order.
 */
struct verb {
    const char *name, *grammar;
    unsigned states;    /* bit per enum smtp_state */
    bool dangerous;     /* has consequences on the other side: takes a second Enter */
    bool path;          /* takes an address in angle brackets behind a colon */
    const char *offer;  /* the capability that announces it, or NULL */
    const char *likely; /* codes that it is answered with when all is well, and when not */
};
extern const struct verb typehint_verbs[];
extern const size_t typehint_verb_count;

/* ASCII case ignored. */
bool typehint_starts(const char *line, const char *prefix);
/* The verb that the line begins with; NULL for none. "MAIL" alone counts as MAIL FROM:. */
const struct verb *typehint_verb(const char *line);
/* MAIL or RCPT. */
enum envelope_command typehint_envelope(const char *line);
/* By the state; STARTTLS only in clear, AUTH only before a log-in, LHLO only in LMTP. */
bool typehint_in_order(const struct record *r, unsigned mode, const struct verb *verb);
const char *typehint_capabilities(const struct record *r); /* NULL before EHLO */
/* The same as the engine reads it; false before EHLO. */
bool typehint_caps(const struct record *r, struct caps *out);
/* Line after line; false at the end. */
bool typehint_next(const char **at, char *out, size_t size);
bool typehint_offers(const struct record *r, const char *keyword);
/* SASL mechanisms as offered; words that cannot be one are left out. */
size_t typehint_mechanisms(const struct record *r, char out[][MECHANISM_MAX + 1], size_t max);
/* Attributes behind the offered XCLIENT, one after the other; "" at the end. */
bool typehint_attribute(const struct record *r, size_t index, char *out, size_t size);

#endif
