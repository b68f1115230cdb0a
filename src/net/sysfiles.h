/*
 * sysfiles: what the system's own files say about names: resolv.conf and hosts.
 *
 * The parsers are pure and take any bytes. Only literal addresses count; nothing is looked up.
 *
 * Threads: pure, apart from sysfiles_read, which reads a local file. Ownership: the caller's
 * buffers.
 */
#ifndef SMTPSCOPE_SYSFILES_H
#define SMTPSCOPE_SYSFILES_H

#include "net.h"

/* The C library uses no more than this many (MAXNS); asking others would test another system. */
#define SYSFILES_RESOLVERS_MAX 3
/* A larger file is read up to here, and the line that was cut is left out. */
#define SYSFILES_READ_MAX (4u * 1024 * 1024)

/*
 * The `nameserver` lines in their order, port 53; returns how many were put in. Without any, it is
 * the server on this machine, as resolv.conf(5) has it.
 */
size_t sysfiles_resolvers(const char *p, size_t len, struct net_address *out, size_t max);

/* All addresses that the hosts file gives for a name (any case, one final dot ignored). */
size_t sysfiles_hosts(const char *p, size_t len, const char *name, struct net_address *out,
                      size_t max);

/* Appends a regular file's content; an absent or unreadable file is an empty one. */
void sysfiles_read(struct buf *out, const char *path);

#endif
