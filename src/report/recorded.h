/*
 * recorded: what the files that make a scenario out of a recorded run share. Private to this room.
 *
 * report_scenario.c leads; recorded_head.c and recorded_wishes.c write the head; recorded_sides.c
 * our machine and the hosts; recorded_zones.c the zones; recorded_server.c and recorded_rules.c the
 * servers' blocks; recorded_text.c the words of the language. The first failure is kept in `st`,
 * and nothing is written after it.
 *
 * Threads: pure. Ownership: struct recorded owns its lists; the run is borrowed.
 */
#ifndef SMTPSCOPE_RECORDED_H
#define SMTPSCOPE_RECORDED_H

#include "recorded_talk.h"
#include "report_scenario.h"
#include "share_safe.h"

/* The limits of the language that bind here (scenario.h of the practice network, which this room
   may not see). */
#define RECORDED_LINE_MAX 12000 /* of 16384: escapes may still come */
#define RECORDED_WORDS_MAX 100  /* of 128 in a line */
#define RECORDED_LIST_MAX 1000  /* of 4096 records, rules, hosts or offers */
#define RECORDED_HOSTS_MAX 128
#define RECORDED_EXPECT_MAX 32
#define RECORDED_MAILBOX_SIZE 512 /* longer ones are no addresses (RFC 5321 4.5.3.1.3) */
#define RECORDED_PASSWORD "practice"
#define RECORDED_OTHER_PASSWORD "another"

/* An address that was tried, or whose name was asked for. */
struct recorded_host {
    struct net_address address; /* as it came; port 0 */
    const char *name;           /* as it came, the owner of the address record; NULL: none known */
    const struct facts *path;   /* of the first attempt; NULL: never tried */
    bool hidden;                /* its address records stand in a zone */
};

/* A port at which somebody talked. */
struct recorded_server {
    char name[24];
    struct net_address address; /* with port */
    const struct recorded_host *host;
    const struct facts *path;
    bool tls_first;
};

struct recorded {
    const struct run_file *run;
    const struct record *r;
    const struct plan *plan;
    struct share_safe *share;
    struct buf *out;
    enum status st;

    struct talk *talks; /* of dials that carried a conversation, in their order */
    size_t talk_count;
    struct recorded_host *hosts;
    size_t host_count;
    struct recorded_server *servers;
    size_t server_count;
    struct net_address local[2]; /* ours: [0] IPv4, [1] IPv6; family 0: none */
    struct net_address own;      /* as our own side was judged; family 0: unknown */
    bool nat;
    const char *own_name; /* what this machine calls itself, as it came; NULL: it did not matter */
    const char *user;     /* who logs in, as it came; NULL: nobody, or nobody knows */
    bool logs_in;
    bool silent_resolver; /* no name server was ever reached */
};

/* recorded_text.c */
void recorded_keep(struct recorded *x, enum status st);
void recorded_put(struct recorded *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A mapped name as one word of the language; always a domain name that can be read. */
void recorded_put_name(struct recorded *x, const char *name);
enum status recorded_add_name(struct recorded *x, const char *name, struct buf *out) MUST_CHECK;
void recorded_put_address(struct recorded *x, const struct net_address *a);
/* A text in quotation marks: bytes as they are, nothing of them taken for an escape or a
 * placeholder. */
enum status recorded_quote(struct buf *out, const char *p, size_t len) MUST_CHECK;
/* The same bytes without the marks around. */
enum status recorded_escape(struct buf *out, const char *p, size_t len) MUST_CHECK;
/* "20ms", "5s", "-10d", the largest unit that says it exactly. */
void recorded_time(int64_t us, char *out, size_t size);

/* The login of the run, as one plain word. */
enum status recorded_user(struct recorded *x, struct buf *out) MUST_CHECK;

/* Findings of the run; NULL when there is none with this id. */
const struct finding *recorded_finding(const struct recorded *x, const char *id);
bool recorded_found(const struct recorded *x, const char *id);
/* The settled answer to a question; the last one where it was asked again. NULL: not asked. */
const struct dns_facts *recorded_answer(const struct recorded *x, const char *name, uint16_t type);

/* The address of MAIL or RCPT, without its brackets. */
bool recorded_mailbox(const struct recorded *x, const struct talk_turn *turn, char *out,
                      size_t size);

/* recorded_head.c: title, target, options, what is expected, clock. */
void recorded_put_head(struct recorded *x);

/* "--to user-1@example.org"; nothing where the value could not be read back. NULL: a flag. */
void recorded_add_option(struct recorded *x, struct buf *out, const char *name, const char *value);

/* recorded_wishes.c: who speaks to the server, and the parameters and pieces of the message. */
enum status recorded_tell_wishes(struct recorded *x) MUST_CHECK;
void recorded_add_wishes(struct recorded *x, struct buf *out);

/* recorded_sides.c */
enum status recorded_find_sides(struct recorded *x) MUST_CHECK;
void recorded_put_me(struct recorded *x);
void recorded_put_hosts(struct recorded *x);
/* What this record says is made from a host's block, or from our own. */
bool recorded_is_made(const struct recorded *x, const struct dns_facts *f);

/* recorded_zones.c */
void recorded_put_zones(struct recorded *x);

/* recorded_server.c */
void recorded_put_servers(struct recorded *x);
/* The alert that ended the handshake where no kind of TLS stands for it, or -1. */
int recorded_alert(const struct recorded_server *server);
/* The kind of TLS of handshakes that failed, where others did not; else NULL: it is the server's.
 */
const char *recorded_failed_kind(const struct recorded *x, const struct recorded_server *server);
bool recorded_speaks_lmtp(const struct recorded *x, const struct recorded_server *server);
bool recorded_wants_certificate(const struct recorded *x, const struct recorded_server *server);

/* recorded_offers.c: what the replies to EHLO offer, before and under TLS. */
struct recorded_offers {
    /* The first regular reply in each security state: [0] in clear, [1] under TLS; NULL: none. */
    const struct talk_turn *model[2];
};
void recorded_find_offers(const struct recorded *x, const struct recorded_server *server,
                          struct recorded_offers *o);
void recorded_put_offers(struct recorded *x, const struct recorded_server *server,
                         const struct recorded_offers *o);
/* The offers say all that this reply to EHLO does. */
bool recorded_is_offered(const struct recorded *x, const struct recorded_offers *o,
                         const struct talk_turn *turn);

/* recorded_actions.c: one turn as the actions of a rule. */
/* One line of the server, mapped and escaped, placeholders put in; without its marks. */
enum status recorded_line(struct recorded *x, const struct talk_turn *turn, const char *p,
                          size_t len, unsigned flags, struct buf *out) MUST_CHECK;
/* "reply ..., close"; empty where nothing is known. */
enum status recorded_actions(struct recorded *x, const struct recorded_server *server,
                             const struct talk_turn *turn, struct buf *out) MUST_CHECK;

/* recorded_rules.c: greeting and rules of one server. */
void recorded_put_rules(struct recorded *x, const struct recorded_server *server,
                        const struct recorded_offers *o);
/* Goes through all turns with this server: begin with *talk and *turn 0. NULL at the end. */
const struct talk_turn *recorded_next_turn(const struct recorded *x,
                                           const struct recorded_server *server, size_t *talk,
                                           size_t *turn);

#endif
