/*
 * crooked: the system's network made to misbehave, for tests of what stands on it.
 *
 * What is meant for port 53 of 192.0.2.x goes to a port on this machine. It can be short of
 * descriptors, pass streams octet by octet, and receive datagrams without end. Its clock jumps over
 * the deadline of a try when a datagram of SILENCE_MARK octets comes, or when a question has gone
 * out by TCP to a server that will not answer, so that no test depends on how fast the machine is.
 *
 * Threads: single-threaded. Ownership: borrows the network below and the fake server.
 */
#ifndef SMTPSCOPE_TEST_CROOKED_H
#define SMTPSCOPE_TEST_CROOKED_H

#include "fake_dns.h"
#include "net.h"

#define SILENCE_MARK 7
#define CROOKED_JUMP_MS 60000

struct crooked {
    struct network base;
    struct network *below;
    uint16_t port;
    bool is_ours; /* 192.0.2.53 is an address of this machine */
    bool drip, noise;
    int open, limit; /* connections; 0: no limit */
    int peak;
    int64_t skew;
    struct fake_dns *tcp_silent; /* how it is known that the question has arrived */
    bool tcp_written;
    enum status refuse; /* what opening returns, unless ST_OK */
};

void crooked_init(struct crooked *n, struct network *below, uint16_t port);
struct net_address loopback(uint16_t port);

#endif
