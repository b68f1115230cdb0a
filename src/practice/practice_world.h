/*
 * practice_world: what the parts of the practice network share: its clock and randomness, the
 * connections with the bytes on their way, and the face of a server that acts at the other end.
 *
 * An actor is a server's end of one connection, bytes in and bytes out, without a notion of
 * sockets: the connection hands it what arrived, then sends what it finds in `out`.
 *
 * Threads: the engine's. Ownership: the world owns the scenario and every connection that is open;
 * a connection owns its actor and the segments on their way.
 */
#ifndef SMTPSCOPE_PRACTICE_WORLD_H
#define SMTPSCOPE_PRACTICE_WORLD_H

#include "practice.h"
#include "scenario.h"

/* Where the clock stands at first: not 0, which would read as "never". */
#define WORLD_START_US US_PER_S
/* Bytes on their way in one direction before the sender has to wait, like a TCP window. */
#define WORLD_WINDOW (64 * 1024)
/* One burst of an actor: what it may have in `out` before it is asked to wait for room. */
#define WORLD_OUT_MAX (4u << 20)
#define WORLD_LOG_MAX (4u << 20)
/* Linux gives up after that long without an answer to its SYN (tcp_syn_retries 6). */
#define WORLD_SYN_TIMEOUT_US (127 * US_PER_S)

struct actor;

struct actor_ops {
    void (*start)(struct actor *a, int64_t now_us);
    void (*input)(struct actor *a, int64_t now_us, const char *p, size_t len);
    /* The client's direction has ended. */
    void (*ended)(struct actor *a, int64_t now_us);
    /* timer_us has come, or there is room again after needs_room. */
    void (*run)(struct actor *a, int64_t now_us);
    void (*free)(struct actor *a);
};

struct actor {
    const struct actor_ops *ops;
    struct buf out;
    bool fin, reset;  /* after what is in `out` */
    bool deaf;        /* takes no more bytes, so that the client's window fills */
    bool needs_room;  /* wants to say more than `room` allows */
    size_t room;      /* set before each call */
    int64_t timer_us; /* NO_DEADLINE for none */
    bool patient;     /* it comes only if the client stays silent until then */
    size_t split;     /* bytes a segment, 0: as they come */
};

enum segment_kind { SEGMENT_DATA, SEGMENT_FIN, SEGMENT_RESET };

struct segment {
    struct segment *next;
    int64_t at_us;
    enum segment_kind kind;
    size_t off, len;
    char bytes[];
};

/* One direction. Segments arrive in order. */
struct way {
    struct segment *head, **tail;
    size_t bytes;
    int64_t last_us;
};

struct practice_random {
    uint64_t state;
};

struct practice_tls;

/* How often each rule's event has come, over all connections. */
struct rule_count {
    uint64_t hits;
    int64_t first_us;
};

struct practice {
    struct network net;
    struct scenario *s;
    enum practice_pace pace;
    int64_t now_us, wall_start_us;
    int64_t left_us; /* when the last wait ended, on the real clock; 0: none yet */
    int64_t late_us; /* by so much the real clock is ahead of the story */
    struct practice_random client_random, server_random;
    struct practice_conn *conns;
    unsigned conn_number;
    uint16_t next_port;
    struct buf log;
    uint64_t text_bytes;
    struct rule_count **counts; /* [server][rule] */
    struct practice_tls *tls;
    /* Gets what would go into the log, as it happens; NULL: the log does. */
    void (*watch)(void *ctx, unsigned conn, bool tls, const char *p, size_t len);
    void *watch_ctx;
};

enum conn_state { CONN_CONNECTING, CONN_OPEN, CONN_FAILED };

struct practice_conn {
    struct net_conn base;
    struct practice *world;
    struct practice_conn *next;
    bool datagram;
    enum conn_state state;
    enum status outcome; /* of connecting */
    int outcome_sys;
    int64_t decided_us; /* NO_DEADLINE: never */
    int64_t start_us;   /* when the server notices; NO_DEADLINE: there is none, or it has */
    int64_t one_way_us;
    struct way to_client, to_server;
    bool client_shut, server_gone;
    struct actor *actor;
    const struct scenario_resolver *resolver; /* datagrams */
    enum port_cut cut;
    uint64_t cut_left;
};

/* practice_random.c */
void practice_random_seed(struct practice_random *r, uint64_t seed);
uint64_t practice_random_next(struct practice_random *r);
void practice_random_fill(struct practice_random *r, void *p, size_t len);

/* practice_conn.c */
enum status conn_open_stream(struct practice *w, const struct net_address *to,
                             const struct net_address *from, struct net_conn **out,
                             int *sys) MUST_CHECK;
enum status conn_open_datagram(struct practice *w, const struct net_address *to,
                               const struct net_address *from, struct net_conn **out,
                               int *sys) MUST_CHECK;
enum status conn_result(struct practice_conn *c);
/* Which of `want` could be done now. */
unsigned conn_ready(const struct practice_conn *c, unsigned want);
/* When something happens next at either end; NO_DEADLINE for nothing. */
int64_t conn_next_us(const struct practice_conn *c);
/* When something next comes to either end; what the server does by itself does not count. */
int64_t conn_arrival_us(const struct practice_conn *c);
/* Lets the servers' ends do what is due. */
void world_act(struct practice *w);

/* practice_world.c */
/* Our address towards `to`; family 0 when there is none. */
void world_source(const struct practice *w, const struct net_address *to, struct net_address *out);
bool world_is_own(const struct practice *w, const struct net_address *a);
/* What the servers take our address for. */
struct net_address world_seen_as(const struct practice *w, const struct net_address *local);
/* NULL: nobody has this address. */
const struct scenario_host *world_find_host(const struct practice *w, const struct net_address *a);
const struct scenario_resolver *world_find_resolver(const struct practice *w,
                                                    const struct net_address *a);
/* NULL: nothing is said about this port, and it refuses. */
const struct scenario_port *world_find_port(const struct scenario_host *h, uint16_t number);
int64_t world_wall_us(const struct practice *w);
/* Adds a line to the log: "<connection> clear|tls <text>". */
void world_log(struct practice *w, unsigned conn, bool tls, const char *p, size_t len);

/* practice_net.c */
extern const struct network_ops practice_ops;

/* practice_smtp.c, practice_dns.c: actors. NULL on no memory. */
struct actor *smtp_actor_new(struct practice *w, const struct scenario_host *host,
                             const struct scenario_port *port, const struct net_address *client,
                             unsigned number);
struct actor *dns_actor_new(struct practice *w, const struct scenario_resolver *resolver);

#endif
