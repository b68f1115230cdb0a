/*
 * macro: what can be asked for in the SMTP line by a word with a colon: ":probe user@example.org".
 *
 * One table. The completion, the hint line, the box of :help and the manual page are made from it,
 * or compared with it, so they cannot disagree; what each does stands in views/macros.c.
 *
 * No command of SMTP begins with a colon. Where what is typed is message text or a password, a
 * colon is only a character.
 *
 * Threads: const. Ownership: none.
 */
#ifndef SMTPSCOPE_MACRO_H
#define SMTPSCOPE_MACRO_H

#include "buf.h"
#include "text.h"

#define MACRO_PROBE_MAX 5 /* recipients that one :probe asks for */

/* What a macro is completed with behind its name. */
enum macro_argument {
    MACRO_NOTHING,
    MACRO_NAME,      /* the EHLO name */
    MACRO_MECHANISM, /* of the server's offer */
    MACRO_ADDRESSES,
    MACRO_FILE,
    MACRO_ATTRIBUTES, /* of XCLIENT */
    MACRO_TEXT        /* anything: nothing to complete */
};

/* X(id, name, arguments as they are written, kind of argument, needed, second Enter, title).
   Aliases come as rows of their own. */
#define MACRO_LIST(X)                                                                              \
    X(MACRO_EHLO, "ehlo", "[NAME]", MACRO_NAME, false, false,                                      \
      N_("EHLO with the name that this run gave, or with NAME"))                                   \
    X(MACRO_STARTTLS, "starttls", "", MACRO_NOTHING, false, false,                                 \
      N_("STARTTLS, the handshake, and EHLO again"))                                               \
    X(MACRO_TLS, "tls", "", MACRO_NOTHING, false, false,                                           \
      N_("a TLS handshake now, whatever was said before"))                                         \
    X(MACRO_AUTH, "auth", "[MECHANISM]", MACRO_MECHANISM, false, false,                            \
      N_("log in by a form: the password stays hidden"))                                           \
    X(MACRO_B64, "b64", "[TEXT]", MACRO_TEXT, false, false,                                        \
      N_("after a 334: send TEXT as base64, \\0 is a NUL; alone: encode what is typed"))           \
    X(MACRO_MAIL, "mail", "[FROM TO]", MACRO_ADDRESSES, false, false,                              \
      N_("write a message, with MAIL, RCPT and DATA"))                                             \
    X(MACRO_PROBE, "probe", "ADDRESS...", MACRO_ADDRESSES, true, true,                             \
      N_("MAIL, RCPT for up to 5 addresses, RSET; never DATA"))                                    \
    X(MACRO_DATA, "data", "", MACRO_NOTHING, false, true,                                          \
      N_("DATA alone; the text is typed line by line"))                                            \
    X(MACRO_BDAT, "bdat", "[TEXT]", MACRO_TEXT, false, true,                                       \
      N_("write a message that goes out in chunks; TEXT: those octets, as in :raw"))               \
    X(MACRO_RAW, "raw", "[TEXT]", MACRO_TEXT, false, false,                                        \
      N_("exact bytes: \\r \\n \\t \\0 \\xNN \\\\; alone: raw mode on or off"))                    \
    X(MACRO_HALF, "half", "", MACRO_NOTHING, false, false,                                         \
      N_("end our direction of the connection, and read on"))                                      \
    X(MACRO_OPEN, "open", "", MACRO_NOTHING, false, false,                                         \
      N_("connect (again), and read the greeting"))                                                \
    X(MACRO_RECONNECT, "reconnect", "", MACRO_NOTHING, false, false, N_("the same as :open"))      \
    X(MACRO_CONNECT, "connect", "", MACRO_NOTHING, false, false,                                   \
      N_("connect only: no greeting is waited for, so that you can talk first"))                   \
    X(MACRO_REPLAY, "replay", "FILE", MACRO_FILE, true, false,                                     \
      N_("play a saved conversation or a script, step by step"))                                   \
    X(MACRO_XCLIENT, "xclient", "ATTRIBUTES", MACRO_ATTRIBUTES, true, false,                       \
      N_("speak for another client: ADDR=192.0.2.1 NAME=host.example"))                            \
    X(MACRO_QUIT, "quit", "", MACRO_NOTHING, false, false,                                         \
      N_("QUIT; the server closes the connection"))                                                \
    X(MACRO_HELP, "help", "", MACRO_NOTHING, false, false, N_("this list"))

enum macro_id {
    MACRO_NONE,
#define X(id, name, args, kind, needed, twice, title) id,
    MACRO_LIST(X)
#undef X
        MACRO_COUNT
};

struct macro {
    const char *name, *args; /* "probe", "ADDRESS..." */
    enum macro_argument kind;
    bool needed;       /* does nothing without its argument */
    bool twice;        /* has consequences on the other side: takes a second Enter */
    const char *title; /* translated by _() */
};
extern const struct macro macros[MACRO_COUNT];

/*
 * ":probe a b": which one it is, and where its arguments begin (blanks skipped, up to the end of
 * the line). MACRO_NONE for what is no macro, and for a name that is not known.
 */
enum macro_id macro_find(const char *line, const char **args);
bool macro_is_one(const char *line); /* begins with a colon */
/* The nearest name to an unknown one; MACRO_NONE when none is near. */
enum macro_id macro_nearest(const char *line);
/* The next word of the arguments into out; false at the end, or when it does not fit. */
bool macro_next_word(const char **args, char *out, size_t size);
/* ":probe ADDRESS...", one a line with its title: the box of :help. */
enum status macro_list(struct buf *out) MUST_CHECK;

#endif
