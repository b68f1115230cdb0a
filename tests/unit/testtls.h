/*
 * testtls: a TLS server in memory, and the network that leads to it. No socket, no thread, no
 * clock: every wait that nothing can end jumps to its deadline.
 *
 * Inside TLS the server echoes what it gets. "QUIT\n" makes it answer and end TLS properly;
 * "DROP\n" makes it vanish.
 *
 * Threads: one. Ownership: the options must outlive the connection; net_close frees the connection
 * with its server.
 */
#ifndef SMTPSCOPE_TESTTLS_H
#define SMTPSCOPE_TESTTLS_H

#include <openssl/ssl.h>

#include "net.h"
#include "testcert.h"

#define TESTTLS_NO_CUT SIZE_MAX

struct testtls_options {
    const struct testcert *leaf;
    const struct testcert *chain[24]; /* sent after it */
    int min_version, max_version;    /* 0: the library's */
    const char *ciphers;             /* up to TLS 1.2; NULL: all */
    const char *groups;              /* NULL: the library's */
    bool wants_client_cert, needs_client_cert;
    const unsigned char *status; /* stapled OCSP response, DER; NULL for none */
    size_t status_len;
    bool refuses_names; /* alert unrecognized_name for any SNI */
    const char *plain;  /* says this instead of TLS, */
    size_t plain_len;   /* so long */
    size_t piece;       /* bytes that one read or write moves at most; 0: all */
    size_t cut_at;      /* after so many bytes from the server (TESTTLS_NO_CUT: never) ... */
    enum status cut;    /* ... comes ST_EOF, ST_RESET, or ST_AGAIN for silence */
    size_t flip_at;     /* this byte from the server arrives wrong (TESTTLS_NO_CUT: none) */
};

struct testtls_network {
    struct network base;
    int64_t now_us, wall_us;
    int waits;
};

void testtls_network_init(struct testtls_network *n);
struct net_conn *testtls_conn_new(const struct testtls_options *options);
/* The server's own view, to compare with; NULL when it speaks plain text. */
SSL *testtls_server(struct net_conn *c);
/* What has come out of the server so far, in bytes. */
size_t testtls_sent(const struct net_conn *c);

#endif
