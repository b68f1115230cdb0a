/*
 * bounce_words: how mail programs frame the replies that they pass on, as tables. Private to this room.
 *
 * All words are lower case and are compared without regard to case. Every table ends in NULL.
 *
 * Threads: const data. Ownership: none.
 */
#ifndef SMTPSCOPE_BOUNCE_WORDS_H
#define SMTPSCOPE_BOUNCE_WORDS_H

#include "reply_decode.h"

struct bounce_stage {
    const char *words;
    enum reply_stage stage;
};

struct bounce_vendor {
    const char *words, *vendor;
};

extern const char *const bounce_introductions[]; /* stand directly before a reply */
extern const char *const bounce_endings[];       /* stand directly behind one */
extern const char *const bounce_openings[];      /* stand before what a log says without a code */
extern const char *const bounce_hosts[];         /* stand before the name of the server */
extern const struct bounce_stage bounce_stages[];
extern const struct bounce_stage bounce_commands[]; /* behind ">>> " */
extern const struct bounce_vendor bounce_vendors[];

#endif
