/*
 * packet: DNS messages written octet by octet, also wrong ones, for the tests of their reader.
 *
 * Threads: tests are single-threaded. Ownership: plain data.
 */
#ifndef SMTPSCOPE_TEST_PACKET_H
#define SMTPSCOPE_TEST_PACKET_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_ID 0x1234

struct packet {
    uint8_t p[70000];
    size_t len;
    size_t rdata; /* where the RDATA of the open record begins */
};

static inline void put8(struct packet *k, unsigned value)
{
    if (k->len >= sizeof(k->p)) {
        abort();
    }
    k->p[k->len++] = (uint8_t)value;
}

static inline void put16(struct packet *k, unsigned value)
{
    put8(k, value >> 8 & 255);
    put8(k, value & 255);
}

static inline void put32(struct packet *k, uint32_t value)
{
    put16(k, value >> 16);
    put16(k, value & 0xffff);
}

static inline void put_bytes(struct packet *k, const void *bytes, size_t len)
{
    if (len > sizeof(k->p) - k->len) {
        abort();
    }
    memcpy(k->p + k->len, bytes, len);
    k->len += len;
}

static inline void put_label(struct packet *k, const void *bytes, size_t len)
{
    put8(k, (unsigned)len);
    put_bytes(k, bytes, len);
}

/* Labels between the dots; no escapes. "" is the root. */
static inline void put_name(struct packet *k, const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        put_label(k, name, len);
        name += len + (name[len] == '.');
    }
    put8(k, 0);
}

static inline void put_pointer(struct packet *k, size_t offset)
{
    put16(k, 0xc000u | (unsigned)offset);
}

static inline void packet_set16(struct packet *k, size_t at, unsigned value)
{
    k->p[at] = (uint8_t)(value >> 8);
    k->p[at + 1] = (uint8_t)value;
}

/* A reply with one question; the question's name stands at offset 12. */
static inline void packet_begin(struct packet *k, unsigned flags, const char *name, unsigned type)
{
    k->len = 0;
    k->rdata = 0;
    put16(k, PACKET_ID);
    put16(k, flags);
    put16(k, 1);
    put16(k, 0);
    put32(k, 0);
    put_name(k, name);
    put16(k, type);
    put16(k, 1);
}

enum packet_section { SECTION_ANSWER = 6, SECTION_AUTHORITY = 8, SECTION_ADDITIONAL = 10 };

/* What follows the owner name. rr_end sets the length. */
static inline void rr_begin(struct packet *k, enum packet_section section, unsigned type,
                            unsigned class, uint32_t ttl)
{
    packet_set16(k, section, (unsigned)(k->p[section] << 8 | k->p[section + 1]) + 1);
    put16(k, type);
    put16(k, class);
    put32(k, ttl);
    put16(k, 0);
    k->rdata = k->len;
}

static inline void rr_end(struct packet *k)
{
    packet_set16(k, k->rdata - 2, (unsigned)(k->len - k->rdata));
}

static inline void rr_owned(struct packet *k, const char *owner, unsigned type)
{
    put_name(k, owner);
    rr_begin(k, SECTION_ANSWER, type, 1, 300);
}

static inline void put_mx(struct packet *k, const char *owner, unsigned preference,
                          const char *exchange)
{
    rr_owned(k, owner, 15);
    put16(k, preference);
    put_name(k, exchange);
    rr_end(k);
}

static inline void put_cname(struct packet *k, const char *owner, const char *target)
{
    rr_owned(k, owner, 5);
    put_name(k, target);
    rr_end(k);
}

static inline void put_a(struct packet *k, const char *owner, uint32_t address)
{
    rr_owned(k, owner, 1);
    put32(k, address);
    rr_end(k);
}

static inline void put_soa(struct packet *k, const char *zone)
{
    put_name(k, zone);
    rr_begin(k, SECTION_AUTHORITY, 6, 1, 600);
    put_name(k, "ns.example.org");
    put_name(k, "admin.example.org");
    put32(k, 2026112301);
    put32(k, 1);
    put32(k, 2);
    put32(k, 3);
    put32(k, 60);
    rr_end(k);
}

static inline void put_ns(struct packet *k, const char *zone, const char *server)
{
    put_name(k, zone);
    rr_begin(k, SECTION_AUTHORITY, 2, 1, 600);
    put_name(k, server);
    rr_end(k);
}

/* EDNS with one option, or none when code is 0. */
static inline void put_opt(struct packet *k, unsigned rcode_high, unsigned code, const void *data,
                           size_t len)
{
    put8(k, 0);
    rr_begin(k, SECTION_ADDITIONAL, 41, 1232, (uint32_t)rcode_high << 24);
    if (code != 0) {
        put16(k, code);
        put16(k, (unsigned)len);
        put_bytes(k, data, len);
    }
    rr_end(k);
}

#endif
