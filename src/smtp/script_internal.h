/*
 * script_internal: what the readers of the kinds of scripts share. Nobody else includes it.
 *
 * Threads: pure. Ownership: the caller's.
 */
#ifndef SMTPSCOPE_SCRIPT_INTERNAL_H
#define SMTPSCOPE_SCRIPT_INTERNAL_H

#include "script.h"

struct script_reader {
    const char *name;
    struct error *error;
    struct script *script;
    bool in_text;
    bool in_login;   /* the next line answers a 334 */
    uint64_t octets; /* that are still to come behind a BDAT */
    size_t chunk;    /* the step that they belong to */
    struct buf data;
    /* Transcripts: which steps have not been answered, oldest first. */
    size_t *waiting;
    size_t waiting_first, waiting_count, waiting_room;
    int reply_code; /* of the reply that is being read; 0: none */
};

/* ST_INVALID with file, line and sentence. */
enum status script_fail(struct script_reader *r, unsigned line, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Appends a step; the bytes are copied. */
enum status script_add(struct script_reader *r, enum script_kind kind, enum smtp_verb verb,
                       const char *p, size_t len, unsigned line) MUST_CHECK;
/* A line of the client's, whatever the state says it is. */
enum status script_client_line(struct script_reader *r, const char *p, size_t len,
                               unsigned line) MUST_CHECK;
/* The last BDAT still lacks octets. */
enum status script_check_chunk(struct script_reader *r, unsigned line) MUST_CHECK;

/* script_transcript.c */

/* A line of a saved transcript: its number there (0: none), its direction, its text. */
struct saved_line {
    unsigned number;
    char dir; /* 'C' client, 'c' client in the notation of raw_text.h, 'S' server, '-' note, '=' TLS
               */
    const char *text;
    size_t len;
    bool cut;
};
/* False when it is no such line. */
bool saved_line_read(const char *p, size_t len, struct saved_line *out);
enum status script_saved_line(struct script_reader *r, const struct saved_line *line) MUST_CHECK;
enum status script_read_transcript(struct script_reader *r, const char *p, size_t len) MUST_CHECK;
enum status script_read_json(struct script_reader *r, const char *p, size_t len) MUST_CHECK;

#endif
