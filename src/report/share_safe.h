/*
 * share_safe: takes out of names, addresses and texts what tells whose they are, so that a run can
 * be given away, and leaves what a diagnosis rests on.
 *
 * The same thing becomes the same example each time, in any case of letters:
 *   the domain that was tested       example.org, and its hosts mx1.example.org, mx2..., host1...
 *   other domains                    org1.example, org2.example...; names below them likewise, so
 * that
 *                                    *.hoster.net still covers mx.hoster.net
 *   our own side                     desk.office.example; ip-198-51-100-7.dyn.provider.example
 * where the name looks like a dial-in line's addresses                        the ranges for
 * documentation (RFC 5737, 3849); what is private, loopback, link-local... stays that, and what
 * lies in one /24 or /64 with us stays beside us local parts, user names          user-1,
 * user-2...; those of RFC 2142 stay queue ids and the like           their shape: 4ABC12 becomes
 * 0AAA00 Names of big providers, filters and blocklists keep their ends (share_words.c), because
 * they tell the software: abc.prod.outlook.com becomes host1.prod.outlook.com. A name that is no
 * host name (odd bytes) stays none.
 *
 * What is told to be ours or theirs (share_safe_domain...) is also found where it stands inside of
 * other words; what is not told is recognised by its form.
 *
 * Threads: one owner at a time. Ownership: opaque, share_safe_free.
 */
#ifndef SMTPSCOPE_SHARE_SAFE_H
#define SMTPSCOPE_SHARE_SAFE_H

#include "net.h"

/* Distinct things of one kind that are told apart; all others look alike. */
#define SHARE_NAMES_MAX 2048
#define SHARE_TEXT_MAX ((size_t)8 << 20)

enum share_role { SHARE_OTHER, SHARE_SERVER, SHARE_OWN };

/* Text that holds keywords and no names of messages: nothing is taken for a queue id. */
#define SHARE_KEYWORDS 1u

struct share_safe;

enum status share_safe_new(struct share_safe **out) MUST_CHECK;
void share_safe_free(struct share_safe *s);

/* To be told before anything is mapped, in this order; NULL is allowed and ignored. */
enum status share_safe_domain(struct share_safe *s, const char *domain) MUST_CHECK;
enum status share_safe_own_address(struct share_safe *s, const struct net_address *a) MUST_CHECK;
enum status share_safe_resolver(struct share_safe *s, const struct net_address *a) MUST_CHECK;
enum status share_safe_host(struct share_safe *s, const char *name,
                            enum share_role role) MUST_CHECK;
/* A name of ours that says nothing but the address; `a` is that address. */
enum status share_safe_dynamic_name(struct share_safe *s, const char *name,
                                    const struct net_address *a) MUST_CHECK;
/* A login, with or without a domain. */
enum status share_safe_user(struct share_safe *s, const char *user) MUST_CHECK;

/* A domain name in presentation form (RFC 1035 5.1), also as MX hosts may be: an address, or
 * nonsense. */
enum status share_safe_name(struct share_safe *s, const char *name, struct buf *out) MUST_CHECK;
enum status share_safe_address(struct share_safe *s, const struct net_address *a,
                               struct net_address *out) MUST_CHECK;
/* "user@domain" or a login. */
enum status share_safe_mailbox(struct share_safe *s, const char *p, size_t len,
                               struct buf *out) MUST_CHECK;
/* Any bytes. */
enum status share_safe_text(struct share_safe *s, const char *p, size_t len, unsigned flags,
                            struct buf *out) MUST_CHECK;

#endif
