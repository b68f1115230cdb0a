/*
 * practice_session: one conversation of a scripted SMTP server, without sockets: bytes in, bytes
 * out, and a timer. Shared by the files that make it up.
 *
 * Each thing that happens is an event; the first rule of the server that matches it answers, else
 * the built-in behaviour does. An answer is a program of actions that may wait between them; what
 * comes in meanwhile is kept until it is done, as a server with one thread for a client does.
 *
 * Threads: the engine's. Ownership: the session owns its buffers; server, host and world outlive
 * it.
 */
#ifndef SMTPSCOPE_PRACTICE_SESSION_H
#define SMTPSCOPE_PRACTICE_SESSION_H

#include "practice_auth.h"
#include "practice_tls.h"
#include "practice_world.h"

#define SESSION_LINE_MAX 16384 /* of a client; a longer one is answered 500 */
#define SESSION_IN_MAX (4u << 20)
#define SESSION_FIELD_MAX 4096 /* names and addresses that a client gave */
#define SESSION_RECIPIENTS_MAX 1000

enum session_event {
    EVENT_NONE,
    EVENT_CONNECT,
    EVENT_SECURED,
    EVENT_COMMAND,
    EVENT_LOGIN,
    EVENT_MESSAGE,
    EVENT_MESSAGE_AT, /* inside the message */
    EVENT_IDLE
};

enum session_phase { PHASE_COMMANDS, PHASE_PROXY, PHASE_LOGIN, PHASE_TEXT, PHASE_CHUNK };

/* Where the text of a message stands with respect to its end (RFC 5321 4.1.1.4). */
enum text_state { TEXT_LINE_START, TEXT_DOT, TEXT_DOT_CR, TEXT_LINE, TEXT_CR };

struct session {
    struct actor base;
    struct practice *w;
    const struct scenario_server *server;
    struct rule_count *counts; /* of all connections */
    uint64_t *own_hits;        /* of this one */
    const char *host;
    struct net_address client;
    unsigned number;
    bool implicit_tls;

    struct tls_side *tls;
    bool handshaking, secured;
    enum tls_kind next_tls;
    bool start_tls;

    struct buf in;
    enum session_phase phase;
    bool said_hello, extended, logged_in, in_mail, turned_away, silent;
    bool greeted, spoke_early; /* RFC 5321 4.3.1: the server greets first */
    unsigned recipients;
    struct buf helo, sender, address, command;
    uint64_t text_octets, text_before, chunk_left;
    bool chunk_last, chunk_answered;
    char queue_id[12];
    enum text_state text_state;
    struct auth *auth;
    bool login_good, login_seen; /* of the last one; whether AUTH has ever been said */

    enum session_event event;  /* what is being answered */
    enum session_event follow; /* what has to be answered next */
    bool answering;
    const struct scenario_rule *rule; /* NULL: the built-in answer */
    size_t action;
    uint64_t repeated;
    uint64_t n;      /* for {n} */
    int code;        /* first that this answer has sent, 0 before */
    bool fresh_line; /* nothing of a reply line is out yet */
    struct buf dripping;
    int64_t drip_us, busy_until_us, quiet_since_us;
};

/* practice_smtp.c: saying things. Plain text; it goes through TLS where that is up. */
void session_say(struct session *s, const char *p, size_t len);
/* A line with the server's line end. Sets the answer's code if it is the first. */
void session_reply(struct session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A text of the scenario, its placeholders filled in. */
void session_text(struct session *s, const char *text, bool line);
void session_close(struct session *s);

/* practice_rule.c */
/* The first rule for the event, counting on the way; NULL for the built-in answer. */
const struct scenario_rule *session_match(struct session *s, enum session_event event);
/* One action of the answer. False: it has to wait (busy_until_us or needs_room is set). */
bool session_step(struct session *s, int64_t now_us);
/* When an idle rule is due, NO_DEADLINE for never. */
int64_t session_idle_us(const struct session *s);

/* practice_command.c */
void session_default(struct session *s);
/* What the code that was sent makes of the session. */
void session_effect(struct session *s);
bool session_knows_verb(const struct session *s);
/* True when the command's first word is this verb. */
bool session_is(const struct session *s, const char *verb);
const char *session_argument(const struct session *s); /* what stands behind the verb */
void session_set(struct buf *field, const char *p, size_t len);
void session_reset_mail(struct session *s);

/* practice_offer.c */
/* The offer at this index as it stands in this security state; NULL at the end, "" when it does
 * not. */
const char *session_offer_at(const struct session *s, size_t i);
/* True when the keyword is offered now; *rest (NULL is allowed) gets its parameters. */
bool session_offers(const struct session *s, const char *keyword, const char **rest);
/* True when the text's first word is the keyword, in any case. */
bool session_begins(const char *text, const char *keyword, const char **rest);
void session_hello(struct session *s);

/* practice_identity.c */
/* Reads the header of a proxy from what came in. ST_AGAIN: more has to come; ST_INVALID: it is none
   that the server takes. */
enum status session_proxy(struct session *s) MUST_CHECK;
void session_xclient(struct session *s);
/* The client is the one that XCLIENT has named. */
void session_xclient_effect(struct session *s);

/* practice_mail.c */
/* Reads the address of MAIL or RCPT, so that a rule that answers can name it, too. */
void session_read_address(struct session *s);
void session_mail(struct session *s);
void session_rcpt(struct session *s);

/* practice_login.c */
void session_login(struct session *s);
/* A line of the client while a login is under way. */
void session_response(struct session *s, const char *p, size_t len);
/* Logs the command without what may be a secret. */
void session_log_command(struct session *s);

#endif
