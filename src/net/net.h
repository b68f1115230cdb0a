/*
 * net: the network as an interface.
 *
 * Everything that the engine does to the outside goes through struct network: time, randomness,
 * connections, datagrams and the one wait. Behind it stand the system's sockets
 * (net_system_open) or the practice network (room practice), and no other code can tell which.
 *
 * A struct net_conn is one connection or one datagram association. Reads and writes never block:
 * they return ST_AGAIN, and the caller waits with net_wait. Layers (TLS, tls.h) are net_conns that
 * own the one below.
 *
 * Threads: a network and its connections belong to one thread, the engine's. Cancelling comes
 * through the token. Ownership: net_close frees the connection and all layers below.
 */
#ifndef SMTPSCOPE_NET_H
#define SMTPSCOPE_NET_H

#include "buf.h"
#include "cancel.h"
#include "clock.h"

#define NET_ADDRESS_TEXT 64 /* longest "[2001:db8:...%scope]:port" with room to spare */

struct net_address {
    uint8_t family; /* 4, 6 or 0 for none */
    uint8_t bytes[16];
    uint32_t scope; /* IPv6 zone */
    uint16_t port;
};

/* Ranges of the IANA special-purpose registries that matter to mail. */
enum net_range {
    RANGE_GLOBAL,
    RANGE_UNSPECIFIED,
    RANGE_LOOPBACK,
    RANGE_PRIVATE,       /* RFC 1918 */
    RANGE_SHARED,        /* RFC 6598, carrier-grade NAT */
    RANGE_LINK_LOCAL,
    RANGE_UNIQUE_LOCAL,  /* RFC 4193 */
    RANGE_DOCUMENTATION, /* RFC 5737, 3849, 9637 */
    RANGE_MULTICAST,
    RANGE_RESERVED
};

/* Literal only: "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "[IPv6:2001:db8::1]". No look-up. */
bool net_address_parse(const char *text, struct net_address *out);
/* Without port, without brackets. */
void net_address_format(const struct net_address *a, char *out, size_t size);
/* "192.0.2.1:25", "[2001:db8::1]:25" */
void net_address_format_port(const struct net_address *a, char *out, size_t size);
bool net_address_same_host(const struct net_address *a, const struct net_address *b);
enum net_range net_address_range(const struct net_address *a);
const char *net_range_name(enum net_range range); /* "private", "loopback"; untranslated */

struct net_conn;

#define NET_READ 1u
#define NET_WRITE 2u

struct net_wait_item {
    struct net_conn *conn;
    unsigned want;  /* NET_READ | NET_WRITE */
    unsigned ready; /* set by net_wait */
};

struct net_conn_ops {
    /* ST_OK with *got > 0; ST_AGAIN; ST_EOF; ST_RESET; ST_IO; ST_TLS. For datagrams: one whole
       datagram, ST_LIMIT when it did not fit. */
    enum status (*read)(struct net_conn *c, void *p, size_t len, size_t *got);
    /* ST_OK with *put > 0 (maybe fewer than len); ST_AGAIN; errors as above. */
    enum status (*write)(struct net_conn *c, const void *p, size_t len, size_t *put);
    /* What net_wait has to wait for underneath so that `want` can go on. A TLS layer may need to
       read in order to write. *ready is set when it can go on at once (bytes already buffered).
       NULL at the lowest level. */
    struct net_conn *(*wait_for)(struct net_conn *c, unsigned want, unsigned *below, bool *ready);
    /* Ends our direction (TCP half close, TLS close_notify). Best effort. */
    void (*shut_write)(struct net_conn *c);
    void (*close)(struct net_conn *c); /* frees c */
};

struct net_conn {
    const struct net_conn_ops *ops;
    struct net_address local, peer;
    int sys; /* errno of the last failure, 0 when none applies */
};

struct network;

struct network_ops {
    int64_t (*now_us)(struct network *n);
    int64_t (*wall_us)(struct network *n);
    void (*random)(struct network *n, void *p, size_t len);
    /* Starts to connect. ST_OK: *out is connecting, and NET_WRITE becomes ready when it is decided;
       then connect_result tells. A failure that is known at once comes back at once. */
    enum status (*connect)(struct network *n, const struct net_address *to,
                           const struct net_address *from, struct net_conn **out, int *sys);
    /* ST_OK; ST_REFUSED; ST_RESET; ST_TIMEOUT; ST_UNREACHABLE; ST_DENIED; ST_IO. c->sys = errno.
       ST_AGAIN: not decided yet, wait on. connect and datagram may also return ST_INVALID (a source
       address that this machine does not have, or of another family) and ST_LIMIT (descriptors). */
    enum status (*connect_result)(struct network *n, struct net_conn *c);
    /* A connected datagram association (UDP) from a random port. */
    enum status (*datagram)(struct network *n, const struct net_address *to,
                            const struct net_address *from, struct net_conn **out, int *sys);
    /* Only lowest-level connections arrive here. See net_wait. */
    enum status (*wait)(struct network *n, struct net_wait_item *items, size_t count,
                        int64_t deadline_us, struct cancel *cancel, bool until_wake);
    /* Name servers in the order of the system's configuration; returns how many were put in. */
    size_t (*resolvers)(struct network *n, struct net_address *out, size_t max);
    /* The name that this machine calls itself; may be short. Never NULL after return. */
    void (*host_name)(struct network *n, char *out, size_t size);
    /* A host's addresses from the local hosts file; the count, 0 when it is not there. */
    size_t (*hosts_file)(struct network *n, const char *name, struct net_address *out, size_t max);
    /* The source address that the system would use towards `to`, without sending anything. */
    enum status (*source_for)(struct network *n, const struct net_address *to,
                              struct net_address *out);
    void (*close)(struct network *n);
};

/* Implementations put this first in their own struct. */
struct network {
    const struct network_ops *ops;
    bool demo;           /* nothing leaves the process */
    const char *ca_file; /* trust anchors that belong to this network; or NULL */
    const char *ca_pem;  /* the same as PEM text, for a network that has no files; or NULL */
};

/* The system's sockets. The caller closes it with net_network_close. */
enum status net_system_open(struct network **out, struct error *error) MUST_CHECK;
void net_network_close(struct network *n);

int64_t net_now_us(struct network *n);
int64_t net_wall_us(struct network *n);
void net_random(struct network *n, void *p, size_t len);

/*
 * The only call that may block. Waits until an item is ready (ST_OK), the deadline passes
 * (ST_TIMEOUT), or the token is raised (ST_CANCELLED). With until_wake, a wake-up without a cancel
 * returns ST_AGAIN; without it such wake-ups are swallowed. cancel may be NULL.
 */
enum status net_wait(struct network *n, struct net_wait_item *items, size_t count,
                     int64_t deadline_us, struct cancel *cancel, bool until_wake) MUST_CHECK;

/* Connects, waiting. *sys gets errno. ST_TIMEOUT is our deadline (sys 0) or the kernel's. */
enum status net_dial(struct network *n, const struct net_address *to,
                     const struct net_address *from, int64_t deadline_us, struct cancel *cancel,
                     struct net_conn **out, int *sys) MUST_CHECK;
/* Reads what there is, waiting for the first byte. */
enum status net_read_some(struct network *n, struct net_conn *c, void *p, size_t len, size_t *got,
                          int64_t deadline_us, struct cancel *cancel) MUST_CHECK;
/* Writes all of it. */
enum status net_write_all(struct network *n, struct net_conn *c, const void *p, size_t len,
                          int64_t deadline_us, struct cancel *cancel) MUST_CHECK;
void net_close(struct net_conn *c); /* NULL is allowed */

#endif
