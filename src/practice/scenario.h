/*
 * scenario: one acted-out situation, read from a text file.
 *
 * The file is UTF-8, read line by line. A line that begins with # is a comment, empty lines are
 * ignored. A line that begins in the first column opens something; the indented lines below belong
 * to it. A line that ends in a backslash goes on in the next. Words are separated by blanks. A text
 * with blanks stands in "double quotes" and knows \r \n \t \a \e \\ \" \xHH and \u{HEX} (as UTF-8).
 * Times are written 20ms, 5s, 3min, 2h or 10d. The manual page smtpscope-scenarios(7) says the same
 * with examples.
 *
 *   title TEXT     theme WORD     story TEXT     goal TEXT     hint TEXT (repeated)
 *                  prose: the rest of the line and its indented continuation lines
 *   target WORD    what the user types; options TEXT: command-line options that the story assumes
 *   expect ID...   what a right diagnosis contains (repeated): findings, and causes of replies that
 *                  refuse ("reply.spf.failed", reply_decode.h); the first is a finding, and what the
 *                  lesson asks for
 *   lesson N       its place in the course
 *   clock 2026-11-23T12:00:00Z     seed N
 *
 *   me             our own machine
 *     name NAME    address ADDRESS...    seen-as ADDRESS (behind NAT: what servers see)
 *     ptr NAME... | none | servfail | timeout | refused
 *     resolver ADDRESS [latency TIME] [FAULT]          also: unreachable
 *
 *   zone NAME [signed|bogus|servfail|timeout|refused] [ttl SECONDS] [via RESOLVER]
 *     OWNER [TTL] TYPE DATA    A AAAA MX NS CNAME PTR TXT SOA SRV TLSA CAA TYPEnnn(hex)
 *     OWNER [TYPE] FAULT       servfail timeout refused nxdomain nodata truncated malformed
 *                              wrong-id
 *                  OWNER is @ for the zone itself, * for anything below, a name below it or a full
 *                  name. In data, a single label lies below the zone; \DDD is an odd byte
 *
 *   host NAME      two blocks with one name are members of a pool
 *     address ADDRESS...       gets A or AAAA records unless `hidden`, and PTR records
 *     hidden       latency TIME (there and back)
 *     ptr NAME... | none | servfail | timeout | refused
 *     port N|* refuse|drop|reset|close|unreachable|aborted|denied|exhausted [latency TIME]
 *                  `*`: every port not named; else refuse
 *     port N SERVER [tls] [reset-at N|close-at N|stall-at N]      after N octets from the server
 *
 *   server NAME    how it talks; behaves like a Postfix where nothing else is said
 *     banner TEXT  hello TEXT (first line of the EHLO reply)   software WORD (in the banner)
 *     offer WORD...  offer-clear WORD...  offer-tls WORD...    one EHLO keyword a line
 *     withhold WORD...         takes keywords from the default list
 *     local NAME...  mailbox NAME...  relay open|denied  user NAME PASSWORD  require tls|login
 *     tls KIND     see TLS_KIND_LIST
 *     certificate names NAME... | names none | subject TEXT | from TIME | until TIME | key KIND |
 *                  usage server|client | signature good|bad
 *     think TIME   before each reply;  split N: octets a segment;  line-end crlf|lf|cr
 *     lmtp         speaks LMTP: LHLO, and one reply a recipient behind the message
 *     proxy v1|v2|any          waits for a header of the PROXY protocol before everything else
 *     keeps-commands           what came in clear behind STARTTLS is obeyed after it (a flaw)
 *     on EVENT [CONDITION...]: ACTION, ACTION...       the first rule that matches is taken
 *       EVENT      connect, secured (TLS is up), login (AUTH has all it needs), message (after the
 *                  final dot), idle TIME, anything, a verb such as RCPT, or "a pattern with * and
 * ?" CONDITION  first N, after N (counts of this event), within TIME (of the first), session (count
 * each connection for itself), clear, tls, early (the client talked before its turn), grouped (more
 * commands came along with it), ipv4, ipv6, state start|ready|mail|rcpt, over N (message
 * octets), at N (message: as soon as N octets came) ACTION     reply TEXT... (one line each), send
 * TEXT... (as it is), repeat N [every TIME] [send] TEXT, wait TIME, drip TIME (what follows goes
 * out byte by byte), split N, tls KIND, default (what would have happened), ignore, stall, close,
 * reset
 *
 * In texts of servers {host} {client} {helo} {sender} {address} {command} {id} {n} {size} {date}
 * {software} are filled in; {{ is a brace. The first three digits that a rule sends decide what
 * becomes of the session, as a client would read them: 250 to MAIL opens a transaction, 220 to
 * STARTTLS is followed by a handshake.
 *
 * Errors name the file, the line and what was expected.
 *
 * Threads: pure. Ownership: scenario_free frees all.
 */
#ifndef SMTPSCOPE_SCENARIO_H
#define SMTPSCOPE_SCENARIO_H

#include "wire_name.h"

#define SCENARIO_LINE_MAX 16384
#define SCENARIO_WORDS_MAX 128
#define SCENARIO_LIST_MAX 4096 /* hosts, records, rules... of one file */
#define SCENARIO_NAME_MAX 63   /* of a server block, a theme */
#define SCENARIO_LESSON_MAX 99
#define SCENARIO_TIME_MAX_US (INT64_C(36500) * 86400 * US_PER_S)

/* What the server does when the client begins a handshake. */
#define TLS_KIND_LIST(X)                                                                           \
    X(TLS_KIND_GOOD, "good")                                                                       \
    X(TLS_KIND_EXPIRED, "expired")                                                                 \
    X(TLS_KIND_NOT_YET_VALID, "not-yet-valid")                                                     \
    X(TLS_KIND_WRONG_NAME, "wrong-name")                                                           \
    X(TLS_KIND_SELF_SIGNED, "self-signed")                                                         \
    X(TLS_KIND_UNKNOWN_CA, "unknown-ca")                                                           \
    X(TLS_KIND_INCOMPLETE_CHAIN, "incomplete-chain")                                               \
    X(TLS_KIND_REVOKED, "revoked")                     /* says so itself, RFC 6066 8 */            \
    X(TLS_KIND_OLD_PROTOCOL, "old-protocol")           /* TLS 1.0 only */                          \
    X(TLS_KIND_NO_COMMON_VERSION, "no-common-version") /* alert protocol_version */                \
    X(TLS_KIND_TLS_1_2, "tls-1.2")                     /* no TLS 1.3 */                            \
    X(TLS_KIND_WEAK_DH, "weak-dh")                     /* 1024 bits */                             \
    X(TLS_KIND_NO_SHARED_CIPHER, "no-shared-cipher")                                               \
    X(TLS_KIND_CLIENT_CERTIFICATE, "client-certificate") /* wants one of ours */                   \
    X(TLS_KIND_UNKNOWN_NAME, "unknown-name")             /* alert for any name in SNI */           \
    X(TLS_KIND_STALL, "stall")                           /* takes the ClientHello and is silent */ \
    X(TLS_KIND_GARBAGE, "garbage")                       /* plain text instead of a ServerHello */ \
    X(TLS_KIND_CLOSE, "close")                                                                     \
    X(TLS_KIND_RESET, "reset")

enum tls_kind {
#define X(id, name) id,
    TLS_KIND_LIST(X)
#undef X
        TLS_KIND_COUNT
};

struct scenario_strings {
    char **p;
    size_t count;
};

enum dns_fault {
    DNS_FAULT_NONE,
    DNS_FAULT_SERVFAIL,
    DNS_FAULT_TIMEOUT,
    DNS_FAULT_REFUSED,
    DNS_FAULT_NXDOMAIN,
    DNS_FAULT_NODATA,
    DNS_FAULT_TRUNCATED, /* by UDP; TCP answers in full */
    DNS_FAULT_MALFORMED,
    DNS_FAULT_WRONG_ID,
    DNS_FAULT_UNREACHABLE, /* resolvers only: nothing listens there */
    DNS_FAULT_COUNT
};

struct scenario_record {
    struct wire_name owner;
    size_t zone;
    uint16_t type; /* 0: a fault for every type */
    uint32_t ttl;
    enum dns_fault fault;
    uint8_t *rdata;
    size_t rdata_len;
};

struct scenario_zone {
    struct wire_name origin;
    char *name;
    bool is_signed, bogus;
    enum dns_fault fault;
    uint32_t ttl;
    struct net_address via; /* only this resolver knows it; family 0: all */
};

struct scenario_resolver {
    struct net_address address;
    int64_t latency_us;
    enum dns_fault fault;
};

/* What reverse look-ups of an address say. */
struct scenario_ptr {
    struct scenario_strings names;
    bool given; /* else the host's own name */
    enum dns_fault fault;
};

struct scenario_me {
    char *name;
    struct scenario_ptr ptr;
    struct net_address *addresses;
    size_t address_count;
    struct net_address seen_as[2]; /* by family: [0] is IPv4; family 0: as it is */
};

enum port_kind {
    PORT_REFUSE,
    PORT_DROP,
    PORT_RESET, /* accepted, then reset */
    PORT_CLOSE,
    PORT_UNREACHABLE,
    PORT_ABORTED,   /* reset while the connection is being made */
    PORT_DENIED,    /* our own machine does not let it out */
    PORT_EXHAUSTED, /* our own process has no descriptor left */
    PORT_SERVER
};
enum port_cut { CUT_NONE, CUT_RESET, CUT_CLOSE, CUT_STALL };

struct scenario_port {
    uint16_t port; /* 0: every other */
    enum port_kind kind;
    char *server_name;
    size_t server; /* index, resolved at the end of reading */
    bool tls;
    enum port_cut cut;
    uint64_t cut_at;
    int64_t latency_us; /* -1: the host's */
    unsigned line;
};

struct scenario_host {
    char *name;
    struct net_address *addresses;
    size_t address_count;
    bool hidden;
    int64_t latency_us;
    struct scenario_ptr ptr;
    struct scenario_port *ports;
    size_t port_count;
};

enum offer_when { OFFER_ALWAYS, OFFER_CLEAR, OFFER_TLS };

struct scenario_offer {
    char *text;
    enum offer_when when;
};

struct scenario_user {
    char *name, *password;
};

/* How a certificate differs from what its kind says. */
struct scenario_certificate {
    struct scenario_strings names;
    bool names_given; /* with no names: none at all */
    char *subject;    /* common name */
    bool from_given, until_given;
    int64_t from_us, until_us; /* from the scenario's clock, may be negative */
    const char *key;           /* "ec256", "rsa2048", "rsa1024"; NULL: ec256 */
    bool for_clients;          /* issued for clients alone */
    bool forged;               /* its signature does not fit */
};

enum rule_event { RULE_CONNECT, RULE_SECURED, RULE_LOGIN, RULE_MESSAGE, RULE_IDLE, RULE_COMMAND };
enum rule_state {
    RULE_STATE_ANY,
    RULE_STATE_START,
    RULE_STATE_READY,
    RULE_STATE_MAIL,
    RULE_STATE_RCPT
};

enum action_kind {
    ACTION_REPLY,
    ACTION_SEND,
    ACTION_REPEAT,
    ACTION_WAIT,
    ACTION_DRIP,
    ACTION_SPLIT,
    ACTION_TLS,
    ACTION_DEFAULT,
    ACTION_IGNORE,
    ACTION_STALL,
    ACTION_CLOSE,
    ACTION_RESET
};

struct scenario_action {
    enum action_kind kind;
    struct scenario_strings texts;
    int64_t time_us;
    uint64_t count;
    bool raw; /* ACTION_REPEAT: without line ends */
    enum tls_kind tls;
};

struct scenario_rule {
    enum rule_event event;
    char *pattern; /* RULE_COMMAND: NULL for anything */
    bool verb;     /* the pattern is a whole verb */
    bool counted_first, counted_after, has_within, has_over, has_at;
    uint64_t first, after, over, at;
    int64_t within_us, idle_us;
    bool per_session, only_clear, only_tls;
    bool only_early;   /* the client has talked before its turn */
    bool only_grouped; /* more commands came along with this one */
    uint8_t family; /* 0: both */
    enum rule_state state;
    struct scenario_action *actions;
    size_t action_count;
};

/* The headers that a server waits for. */
#define SERVER_PROXY_V1 1u
#define SERVER_PROXY_V2 2u

enum line_end { LINE_END_CRLF, LINE_END_LF, LINE_END_CR };

struct scenario_server {
    char *name;
    char *banner, *hello, *software; /* NULL: the default */
    struct scenario_offer *offers;
    size_t offer_count; /* 0: the default list, without what is withheld */
    struct scenario_strings withheld, local, mailboxes;
    struct scenario_user *users;
    size_t user_count;
    bool relay_open, require_tls, require_login, keeps_commands, lmtp;
    unsigned proxy; /* SERVER_PROXY_*; 0: none */
    enum tls_kind tls;
    struct scenario_certificate certificate;
    int64_t think_us;
    size_t split;
    enum line_end line_end;
    struct scenario_rule *rules;
    size_t rule_count;
};

struct scenario {
    char *title, *theme, *story, *goal, *hints, *target, *options;
    struct scenario_strings expect;
    uint64_t lesson; /* 0: not in the course */
    int64_t clock_us;
    uint64_t seed;
    struct scenario_me me;
    struct scenario_resolver *resolvers;
    size_t resolver_count;
    struct scenario_zone *zones;
    size_t zone_count;
    struct scenario_record *records;
    size_t record_count;
    struct scenario_host *hosts;
    size_t host_count;
    struct scenario_server *servers;
    size_t server_count;
};

/* `file` is for messages. ST_INVALID with a sentence; ST_LIMIT; ST_NOMEM. */
enum status scenario_read(const char *file, const char *text, size_t len, struct scenario **out,
                          struct error *error) MUST_CHECK;
void scenario_free(struct scenario *s);

#endif
