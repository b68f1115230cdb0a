/*
 * smtp: one SMTP conversation, straight-line: a call sends a command and returns its reply.
 *
 * Everything that crosses the wire is told to the tap, in the order of the wire, after secrets were
 * replaced: commands with a secret are told in their visible form, and the redactor goes over all
 * lines in both directions. Reply lines are told one by one as they arrive, so that a slow
 * multi-line reply is seen growing.
 *
 * Time limits are those of RFC 5321 4.5.3.2 (struct smtp_limits); each wait is told to the tap, so
 * that the screen can say "still waiting". A deadline is never prolonged by single bytes.
 *
 * Threads: the engine's. Ownership: the conversation owns its connection; smtp_free closes it
 * (after QUIT where the caller said so). Replies belong to the caller.
 */
#ifndef SMTPSCOPE_SMTP_H
#define SMTPSCOPE_SMTP_H

#include "caps.h"
#include "secret.h"
#include "smtp_verb.h"
#include "tls.h"

#define SMTP_COMMAND_MAX 4096        /* what we send; RFC 5321 4.5.3.1.4 says 512 plus extensions */
#define SMTP_SECRET_MAX 12288        /* a line of an AUTH exchange, RFC 4954 4 */
#define SMTP_RAW_MAX (64 * 1024)     /* typed by hand */
#define SMTP_IN_MAX (64 * 1024)      /* read ahead and not parsed yet */
#define SMTP_OWED_MAX 64             /* replies to raw bytes that are followed one by one */
#define SMTP_CHUNK_MAX (1u << 30)    /* octets of one BDAT */
#define SMTP_SESSION_MAX (16u << 20) /* bytes read in one session before we stop believing in it   \
                                      */

enum smtp_dir { DIR_CLIENT, DIR_SERVER, DIR_NOTE, DIR_TLS };

#define LINE_PROBLEM 1u /* a verdict rests on it */
#define LINE_REDACTED 2u
#define LINE_CUT 4u     /* longer than what was kept */
#define LINE_BODY 8u    /* message text */
#define LINE_MANUAL 16u /* typed by the user */
#define LINE_ODD 32u    /* violates the protocol (bare LF, no code, ...) */
#define LINE_RAW 64u    /* a client's line in the notation of raw_text.h, with its line end */

enum smtp_wait {
    WAIT_NONE,
    WAIT_CONNECT,
    WAIT_BANNER,
    WAIT_EHLO,
    WAIT_STARTTLS,
    WAIT_TLS,
    WAIT_AUTH,
    WAIT_MAIL,
    WAIT_RCPT,
    WAIT_DATA,  /* the 354 */
    WAIT_BLOCK, /* sending message text */
    WAIT_DOT,   /* the reply after the final dot */
    WAIT_QUIT,
    WAIT_OTHER,
    WAIT_DNS,
    WAIT_PAUSE /* on purpose, before a second try */
};
const char *smtp_wait_name(enum smtp_wait wait); /* for people, translated: "the reply to RCPT" */

/* Milliseconds. */
struct smtp_limits {
    int connect, banner, ehlo, starttls, tls, auth, mail, rcpt, data, block, dot, quit, other;
};
/* RFC 5321 4.5.3.2: 5 min greeting, MAIL, RCPT; 2 min DATA; 3 min block; 10 min dot. Connect 30 s.
 */
extern const struct smtp_limits smtp_limits_rfc5321;

/* Where lines go. `line` returns the transcript number, 0 when there is none. */
struct tap {
    void *ctx;
    uint32_t (*line)(void *ctx, enum smtp_dir dir, bool tls, unsigned flags, const char *p,
                     size_t len);
    void (*wait)(void *ctx, enum smtp_wait what, int limit_ms); /* WAIT_NONE: over */
};

enum smtp_state {
    SMTP_CLOSED,
    SMTP_CONNECTED,   /* no greeting yet */
    SMTP_GREETED,     /* 220 read */
    SMTP_READY,       /* EHLO or HELO accepted */
    SMTP_MAIL,        /* MAIL accepted */
    SMTP_RCPT,        /* at least one RCPT accepted */
    SMTP_TEXT,        /* after 354 */
    SMTP_CONTINUATION /* after 334 */
};

/* What became of a typed line, for whoever judges it. */
struct smtp_typed {
    enum smtp_verb verb;
    enum smtp_state before; /* the state in which it was sent */
    bool sent;              /* it went out; else nothing did */
    bool handshake;         /* STARTTLS got its 220, and a handshake was begun */
    size_t injected;        /* bytes in clear behind that 220 */
    uint32_t line;          /* in the transcript */
};

struct smtp {
    struct network *net;
    struct cancel *cancel;
    struct net_conn *conn; /* NULL when closed */
    struct tap tap;
    struct smtp_limits limits;
    const struct redactor *redactor; /* borrowed; NULL for none */
    enum smtp_state state;
    bool tls, authenticated;
    bool lmtp;      /* RFC 2033: LHLO, and one reply a recipient; kept over connections */
    bool write_end; /* our direction was ended by smtp_half_close */
    /*
     * Exact bytes, or what was answered to them, left it open what the server takes the next line
     * for. People may type on; a step needs a new connection.
     */
    bool unsure;
    bool identified;     /* XCLIENT was accepted in this connection */
    unsigned recipients; /* accepted in this transaction */
    uint64_t chunk_left; /* octets of a typed BDAT that are still to be typed */
    struct smtp_typed typed; /* the last typed line */
    struct tls_facts tls_facts;
    struct caps caps;       /* of the last EHLO in this security state */
    struct caps caps_clear; /* before TLS, kept for comparison */
    struct buf in;          /* read; the first in_at bytes are parsed */
    size_t in_at;
    size_t session_bytes, lines_read; /* in this connection */
    uint32_t last_client_line;
    unsigned line_flags;   /* added to every line told, e.g. LINE_MANUAL */
    enum status closed_by; /* why it is closed: ST_OK by us, ST_EOF, ST_RESET, ST_TIMEOUT, ... */
    /*
     * Replies that answered nothing: they are told with LINE_ODD (but a lone 421, which is lawful)
     * and never taken for the answer to the next command.
     */
    unsigned unasked;      /* how many in this connection */
    int unasked_code;      /* of the last one */
    uint32_t unasked_line; /* its first line in the transcript */
    /* For this room only, from here on. */
    struct redactor learned; /* secrets that were typed or computed here; kept over reconnects */
    struct buf out;          /* the rest of a command that a cancel cut; goes out before all else */
    struct reply stray;      /* the reply being read that no call waits for: late, or unasked */
    unsigned owed;           /* replies that no call waits for: cancelled, or asked for in raw mode */
    unsigned char owed_verb[SMTP_OWED_MAX]; /* what the first of them answer */
    struct buf raw_tail;     /* raw bytes behind the last line end */
    int stray_code;          /* of the last reply that no call waited for */
    bool raw_used;           /* so that more replies than commands are no fault of the server's */
    bool raw_text;           /* raw: what goes out now is message text, if the 354 comes */
    unsigned raw_text_lines; /* raw lines of it that were sent before the 354 */
    bool chunk_last;         /* of the BDAT that is being typed */
    uint32_t chunk_line;
    enum smtp_state before_chunk;
    enum smtp_state before_auth;
    unsigned auth_mech; /* enum sasl_mech of the exchange typed by hand */
    bool asks_user;     /* its next answer is the user name and no secret */
    bool greeting_read; /* until then what comes by itself is the greeting */
    bool auth_tail;     /* an AUTH failed: what is typed next may still be meant for it */
    bool leaving;       /* in smtp_quit: a polite cancel only shortens the wait */
    int64_t leave_by;
};

void smtp_init(struct smtp *s, struct network *net, struct cancel *cancel, const struct tap *tap,
               const struct smtp_limits *limits);
/* Closes without QUIT and frees. */
void smtp_free(struct smtp *s);
/* Takes over a connected connection (and owns it from now on, in all cases). */
void smtp_attach(struct smtp *s, struct net_conn *conn);
/* TLS from the first byte (RFC 8314 3.3). */
enum status smtp_tls_now(struct smtp *s, const struct tls_config *config,
                         struct error *error) MUST_CHECK;

/*
 * All that talk: ST_OK means that a complete reply is there, whatever its code. ST_EOF, ST_RESET,
 * ST_TIMEOUT, ST_CANCELLED, ST_LIMIT, ST_PROTO (hopeless: another protocol), ST_IO, ST_TLS: none;
 * the partial reply is kept in *reply. After anything but ST_OK, ST_CANCELLED and ST_INVALID the
 * connection is closed. A reply that is complete when the link drops is the result, and the next
 * call finds the link gone. Replies were initialised by the caller; they come back with secrets
 * replaced.
 *
 * After ST_CANCELLED the connection can be used on: what is still owed is read, told and skipped.
 * It is closed in the middle of message text or of a handshake, and while the answer to STARTTLS or
 * DATA is owed, where nothing else would be safe. While the answer to AUTH is owed, the state is
 * SMTP_CONTINUATION, and while the one to MAIL is, SMTP_MAIL: the worst that it can turn out to be.
 */
enum status smtp_greeting(struct smtp *s, struct reply *reply) MUST_CHECK;
/* EHLO, or LHLO where s->lmtp; on 250 fills s->caps. */
enum status smtp_ehlo(struct smtp *s, const char *name, struct reply *reply) MUST_CHECK;
enum status smtp_helo(struct smtp *s, const char *name, struct reply *reply) MUST_CHECK;
/*
 * One command. ST_INVALID before anything is sent when CR, LF or NUL is in it, when it is too long,
 * in message text, and for STARTTLS, which has its own call.
 */
enum status smtp_command(struct smtp *s, enum smtp_wait wait, struct reply *reply, const char *fmt,
                         ...) PRINTF_LIKE(4, 5) MUST_CHECK;
/* Sends visible + secret + CRLF; told as visible + "<hidden N bytes>". */
enum status smtp_command_secret(struct smtp *s, enum smtp_wait wait, struct reply *reply,
                                const char *visible, const char *secret, size_t len) MUST_CHECK;
/*
 * Several commands, in one write where the server offers PIPELINING (RFC 2920), else one by one.
 * replies[i] answers commands[i]. *done counts the replies that are complete. Commands that must
 * end a group end one. ST_INVALID for STARTTLS and AUTH, and for DATA and QUIT anywhere but at the
 * end. A 421 before the last reply ends it with ST_EOF.
 */
struct smtp_step {
    enum smtp_wait wait;
    const char *command; /* without CRLF */
};
enum status smtp_pipeline(struct smtp *s, const struct smtp_step *steps, size_t count,
                          struct reply *replies, size_t *done) MUST_CHECK;
/*
 * STARTTLS (RFC 3207). ST_OK with reply 220: the channel is encrypted now, caps are forgotten, the
 * caller must EHLO again. ST_OK with another code: refused. ST_PROTO: bytes in clear came behind
 * the 220 (injection, CVE-2011-0411 from the client's side); they are told to the tap as odd lines,
 * kept in *injected and the handshake is not begun. ST_TLS and others: handshake failed, see
 * s->tls_facts.
 */
enum status smtp_starttls(struct smtp *s, const struct tls_config *config, struct reply *reply,
                          struct buf *injected, struct error *error) MUST_CHECK;
/*
 * DATA was answered 354: sends the message, dot-stuffed (RFC 5321 4.5.2) and with every line ended
 * by CRLF, then the final dot, and returns the reply. The tap sees head, tail and a byte count.
 * ST_INVALID when the text holds a NUL or the state is wrong; after a 354 the connection is then
 * closed, because there is no other way out of message text. A refusal that comes before the dot
 * ends the sending: it is the result, and the connection is closed without the dot. So is it on a
 * cancel: no server can take a part for the whole.
 */
enum status smtp_send_text(struct smtp *s, const char *p, size_t len,
                           struct reply *reply) MUST_CHECK;
/*
 * QUIT with a short limit, then closes, whatever came back. Works after a polite cancel as well.
 * Where QUIT would be taken for something else (no greeting yet, message text) it only closes.
 */
void smtp_quit(struct smtp *s);
void smtp_close(struct smtp *s, enum status why);
/* Bytes that the server sent and that nobody read yet. Never waits. */
size_t smtp_pending(struct smtp *s);

/*
 * The hand-made session. Sends the line and CRLF as typed (any bytes but CR and LF), keeps state,
 * caps and security as the automatic steps do (EHLO typed by hand fills caps). A line typed after
 * "AUTH" with an initial response, or while a 334 is pending, is told and remembered only as
 * hidden, and so is a single word that is no command directly after an AUTH that failed; a lone "*"
 * is shown. Typed STARTTLS needs config; inside TLS it is sent like any command, and a 220 to it
 * ends the connection. Text lines after a 354 go out as they are (dots included) and get no reply
 * until the lone dot: *expects_reply is false then. ST_INVALID: nothing was sent.
 */
enum status smtp_typed(struct smtp *s, const char *line, size_t len,
                       const struct tls_config *config, struct reply *reply, bool *expects_reply,
                       struct error *error) MUST_CHECK;
/* From now on these bytes are told as hidden in both directions, like a secret that was typed. */
enum status smtp_hide(struct smtp *s, const char *p, size_t len) MUST_CHECK;
/*
 * "BDAT n [LAST]" typed, with the octets behind it, in one write; the line may lie about their
 * number. Statuses as smtp_typed.
 */
enum status smtp_typed_chunk(struct smtp *s, const char *line, size_t len, const char *data,
                             size_t data_len, struct reply *reply, struct error *error) MUST_CHECK;

/*
 * Raw mode: the bytes go out as they are, and no reply is waited for: smtp_listen, or the next
 * command, reads and tells what comes, however much. Allowed in every state, before the greeting and
 * inside of message text too. Each line is told (one for each LF), those that SMTP would not allow
 * with LINE_ODD and LINE_RAW. Whole lines with CRLF keep the state as typed ones do; all else makes
 * the session unsure. From AUTH on, and while a 334 is pending, nothing of the bytes is told, and
 * everything is learnt as a secret; with SMTP_RAW_HIDDEN all of them are. STARTTLS is sent like
 * anything else: smtp_handshake begins TLS.
 */
#define SMTP_RAW_HIDDEN 1u
enum status smtp_raw(struct smtp *s, const char *p, size_t len, unsigned flags,
                     struct error *error) MUST_CHECK;
/*
 * Waits until every reply that is owed has come, limit_ms at most, and tells them. *code: of the
 * last one; 0: none came. ST_OK when the connection is still there, or when it ended behind a reply.
 */
enum status smtp_settle(struct smtp *s, int limit_ms, int *code) MUST_CHECK;
/* A TLS handshake at once, whatever was said before. ST_INVALID: it is encrypted already. */
enum status smtp_handshake(struct smtp *s, const struct tls_config *config,
                           struct error *error) MUST_CHECK;
/* Ends our direction (TCP FIN, or close_notify inside TLS); what the server says is still read. */
enum status smtp_half_close(struct smtp *s, struct error *error) MUST_CHECK;
/* Nobody waits for the greeting: it is told when it comes (smtp_listen). */
void smtp_expect_greeting(struct smtp *s);
/* The connection is fit for a command whose answer counts: open, sure, and not ended by us. */
bool smtp_is_fit(const struct smtp *s);
/* Bytes before everything else, even TLS: the header of a proxy. Told as lines. */
enum status smtp_send_first(struct smtp *s, const char *p, size_t len,
                            struct error *error) MUST_CHECK;
/*
 * CHUNKING (RFC 3030): the message in pieces of at most `chunk` octets, the last one marked LAST,
 * one reply each. Line ends become CRLF unless `exact`; dots are not doubled. The reply is that of
 * the piece that was refused, or of the last one. When the server answers as if it did not know the
 * command (500, 502), it takes what follows for commands: the connection is closed then.
 */
enum status smtp_bdat(struct smtp *s, const char *p, size_t len, size_t chunk, bool exact,
                      struct reply *reply) MUST_CHECK;
/*
 * Reads whatever the server says by itself (421, EOF) while nobody asked. Returns ST_AGAIN when
 * there is nothing, ST_OK when lines were told, or why the connection ended. A greeting that was
 * not read yet is left to smtp_greeting.
 */
enum status smtp_listen(struct smtp *s) MUST_CHECK;

#endif
