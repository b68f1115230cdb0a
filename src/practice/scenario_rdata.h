/*
 * scenario_rdata: record types and their data, from the words of a zone line to the octets of a
 * message (RFC 1035 3.3).
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_SCENARIO_RDATA_H
#define SMTPSCOPE_SCENARIO_RDATA_H

#include "scenario_words.h"

#define RDATA_MAX 65535

enum rdata_shape {
    SHAPE_A,
    SHAPE_AAAA,
    SHAPE_NAME,
    SHAPE_MX,
    SHAPE_TXT,
    SHAPE_SOA,
    SHAPE_SRV,
    SHAPE_TLSA,
    SHAPE_CAA,
    SHAPE_HEX
};

/* Takes the word if it names a record type. */
bool rdata_type(struct scenario_reader *r, uint16_t *type, enum rdata_shape *shape);
/* Takes the words of the data. */
enum status rdata_put(struct scenario_reader *r, enum rdata_shape shape, const char *zone,
                      struct buf *out) MUST_CHECK;
/* Takes one word that is a name; `below` as in wire_complete. out gets the wire form as written. */
enum status rdata_name(struct scenario_reader *r, const char *zone, bool below, uint8_t out[255],
                       uint8_t *len) MUST_CHECK;

#endif
