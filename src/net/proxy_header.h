/*
 * proxy_header: the header of the PROXY protocol, versions 1 and 2 (haproxy, proxy-protocol.txt),
 * by which a proxy tells a server who its client is.
 *
 * It is the first that goes out on a connection, before the greeting and before TLS.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_PROXY_HEADER_H
#define SMTPSCOPE_PROXY_HEADER_H

#include "net.h"

#define PROXY_HEADER_V1_MAX 107 /* with its line end */
#define PROXY_HEADER_V2_MAX 52  /* as we write it: without TLVs */

struct proxy_wish {
    int version;               /* 0: none */
    bool unknown;              /* v1 UNKNOWN, v2 LOCAL: no client is named */
    struct net_address source; /* family 0: our own end of the connection */
};

/* "v1", "v2", "v1:192.0.2.1", "v2:[2001:db8::1]:4711", "v1:unknown", "v2:local". */
enum status proxy_wish_parse(const char *text, struct proxy_wish *out,
                             struct error *error) MUST_CHECK;
#define PROXY_WISH_TEXT (NET_ADDRESS_TEXT + 16)
/* The text that proxy_wish_parse understands; empty for none. */
void proxy_wish_format(const struct proxy_wish *wish, char *out, size_t size);
/* Appends the header for a connection between these ends. ST_INVALID when the wish names an
   address of another family than the connection has. */
enum status proxy_header_write(const struct proxy_wish *wish, const struct net_address *local,
                               const struct net_address *peer, struct buf *out,
                               struct error *error) MUST_CHECK;

struct proxy_header {
    int version;
    bool unknown;
    struct net_address source, destination;
    size_t len; /* of the whole header */
};
/* ST_OK; ST_AGAIN: more has to come; ST_INVALID: it is none. For servers (room practice) and
   tests. */
enum status proxy_header_read(const char *p, size_t len, struct proxy_header *out) MUST_CHECK;

#endif
