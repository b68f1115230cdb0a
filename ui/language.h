/*
 * language: the locale, the language of the texts, and where the files of the program lie.
 *
 * Threads: the main thread, before any other. Ownership: plain data, by value.
 */
#ifndef SMTPSCOPE_LANGUAGE_H
#define SMTPSCOPE_LANGUAGE_H

#include "buf.h"

#define LANGUAGE_PATH_MAX 4096

struct language {
    bool ascii;    /* the terminal's character set is not UTF-8: nothing beyond ASCII goes out */
    char code[32]; /* of the guide: "en", "es" */
    char data_dir[LANGUAGE_PATH_MAX]; /* "" when there is none: what is built in has to do */
    bool data_dir_named; /* $SMTPSCOPE_DATA names it: its files win over built-in ones */
};

/* `wish` is the value of --lang, or NULL. Never fails: what is missing is English or built in. */
void language_init(struct language *l, const char *wish);
/* True if there is a guide in it, which is what makes a language one of ours. */
bool language_known(const struct language *l);
/* From here on everything is in English: what programs read must not depend on who runs them. */
void language_english(struct language *l);

#endif
