/*
 * share_impl: what the files of share_safe share. Nobody else includes it.
 *
 * share_names.c maps names and users, share_addresses.c addresses, share_text.c finds them in
 * texts, share_words.c holds the words that stay.
 *
 * Threads, ownership: as share_safe.h.
 */
#ifndef SMTPSCOPE_SHARE_IMPL_H
#define SMTPSCOPE_SHARE_IMPL_H

#include "share_safe.h"

#define SHARE_WORDS_MAX 256 /* looked for in every text; more are found by their form alone */

/* One thing and its example. */
struct share_pair {
    char *from; /* lower case */
    char *to;
    bool told; /* found also inside of other words */
};

struct share_pairs {
    struct share_pair *list;
    size_t count;
};

struct share_address {
    struct net_address from, to;
};

struct share_safe {
    struct share_pairs names, users, words;
    struct share_address *addresses;
    size_t address_count;
    struct net_address own[4]; /* as they came; the first of a family decides who is beside us */
    size_t own_count;
    char *domain; /* lower case; NULL before */
    unsigned hosts, servers, desks, orgs, people;
    bool own_root;   /* office.example is taken */
    bool first[256]; /* bytes that something told begins with */
};

/* share_names.c */
const struct share_pair *share_find(const struct share_pairs *pairs, const char *p, size_t len);
/* ST_LIMIT when there is no room for more. Letters are made small. */
enum status share_add(struct share_pairs *pairs, const char *from, size_t len, const char *to,
                      bool told) MUST_CHECK;
char share_lower(char c);
bool share_is_alnum(char c);

/* share_words.c: names are given as bytes, in any case. */

/* The longest end of the name that tells software or a service, and no customer: its length, or 0.
 */
size_t share_kept_suffix(const char *p, size_t len);
bool share_label_is_common(const char *p, size_t len);  /* www, support, zen... */
bool share_word_is_common(const char *p, size_t len);   /* smtp, mail, server, google... */
bool share_local_part_stays(const char *p, size_t len); /* postmaster... */
bool share_tld_is_known(const char *p, size_t len);

#endif
