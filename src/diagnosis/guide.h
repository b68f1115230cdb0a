/*
 * guide: the advice for people, one text file a language, one entry a finding.
 *
 * A language has two files, assets/guide/<lang>.txt and <lang>-replies.txt, in UTF-8, with entries like
 *
 *   [dns.mx.null]
 *   title: {domain} says that it takes no mail
 *   name: The domain says that it takes no mail
 *   sign: The only MX record has a dot in the place of the host.
 *   means: The only MX record is "." ...
 *          continued by indentation.
 *   do server: 1st thing for whoever runs the server
 *   do client: ...
 *   do dns: ...
 *   link: https://www.rfc-editor.org/rfc/rfc7505
 *
 * {name} is replaced by the finding's argument, escaped (escape.h); by "?" when the finding does not have it.
 * A brace itself is written {{. [[What stands in double brackets]] is left out when an argument in it is not
 * there or empty. "do" lines are numbered in order; the word after "do" (client server dns
 * network third-party tool any) says who. There are also entries for the checks themselves ([check dns.mx]:
 * title, means) used before there is a finding and when all is well, and, in the second file, for the causes
 * of replies ([reply.class.greylisted], reply_decode.h): what they mean and what to do is added to a finding
 * whose row in the table says so.
 * The name says the same as the title without any argument, and the sign how one sees that it is
 * so. Lessons ask by them; braces and double brackets are not for them.
 * Lines that begin with # are comments. Errors name file, line and what was expected.
 *
 * The English guide is built into the program, so that it always works; other languages, and a changed
 * English one, are read from the data directory. An entry that a translation lacks comes from English.
 *
 * Threads: load once at start, then const and readable from anywhere. Ownership: guide_free.
 */
#ifndef SMTPSCOPE_GUIDE_H
#define SMTPSCOPE_GUIDE_H

#include "finding.h"

#define GUIDE_FILE_MAX (4u << 20)
#define GUIDE_DO_MAX 12
#define GUIDE_BASIS_MAX 256

struct guide; /* opaque, heap */

/* lang: "en", "es", "qps"... ST_OK even when only English is there; ST_INVALID with a sentence for a broken
   file. data_dir may be NULL: built-in English only. */
enum status guide_load(struct guide **out, const char *data_dir, const char *lang,
                       struct error *error) MUST_CHECK;
void guide_free(struct guide *g);

struct guide_step {
    enum who who; /* WHO_NOBODY: for anybody */
    char *text;
};

/* An entry with its arguments filled in: safe to show. */
struct guide_text {
    char *title; /* one line */
    char *means;
    struct guide_step steps[GUIDE_DO_MAX];
    size_t step_count;
    char *link; /* or NULL */
};

/* Text of a finding. Never fails for a known id; on no memory fields may be NULL-safe empty strings. */
enum status guide_finding(const struct guide *g, const struct finding *f, bool ascii,
                          struct guide_text *out) MUST_CHECK;
/* The order in which steps of one side stand together, sides in the order in which they are first named. */
void guide_group_steps(const struct guide_step *steps, size_t count, size_t *order);
/* Text about a cause of a reply, by itself. */
enum status guide_cause(const struct guide *g, const struct reply_cause *cause,
                        struct guide_text *out) MUST_CHECK;
/*
 * How the cause was found, for people: "Explained by the words of the reply (Google); likely.". Empty when
 * the finding's text has none. vendor: whose rule spoke, or NULL.
 */
void guide_basis(const struct finding *f, char *out, size_t size);
void guide_basis_of(enum reply_basis basis, const struct reply_vendor *vendor, enum confidence confidence,
                    char *out, size_t size);
/* Text about a check: what it does and why. */
enum status guide_check(const struct guide *g, const char *check_id, struct guide_text *out)
    MUST_CHECK;
void guide_text_free(struct guide_text *text);
/* What a finding is called, whatever its arguments are, and how it shows. "" where the guide does
   not say. They live as long as the guide. */
const char *guide_name(const struct guide *g, const char *id);
const char *guide_sign(const struct guide *g, const char *id);
/* For the test that ties ids and texts: calls back for every entry name of the loaded language itself. */
void guide_each(const struct guide *g, void (*entry)(void *ctx, const char *name), void *ctx);
bool guide_has(const struct guide *g, const char *entry);

#endif
