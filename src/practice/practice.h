/*
 * practice: a network that exists only in this process, acted out from a scenario file.
 *
 * It implements net.h: virtual addresses, name servers, scripted SMTP servers with TLS from a throw-away CA,
 * ports that refuse, drop, reset or stall, and latencies. No socket is opened. The servers run inside net_wait,
 * in the engine's thread, so a fixed seed and the clock of its own give the same bytes each time.
 *
 * Time: PRACTICE_PACED really waits (people watch), PRACTICE_INSTANT jumps (tests); the times recorded are
 * the same.
 *
 * Threads: as net.h: the engine's. Ownership: net_network_close frees all.
 */
#ifndef SMTPSCOPE_PRACTICE_H
#define SMTPSCOPE_PRACTICE_H

#include "net.h"

enum practice_pace { PRACTICE_PACED, PRACTICE_INSTANT };

struct practice_options {
    enum practice_pace pace;
    uint64_t seed;       /* 0: the scenario's own */
    int64_t wall_us;     /* start of its wall clock; 0: the scenario's own */
};

#define SCENARIO_FILE_MAX (1u << 20)
#define SCENARIO_EXPECT_MAX 32

/* What the list and the lessons show. */
struct scenario_info {
    char *name, *title, *theme, *story, *goal, *hints, *target;
    char *options; /* command-line options that the story assumes, space-separated, or "" */
    char *expect[SCENARIO_EXPECT_MAX]; /* what a right diagnosis contains: ids of findings, and of
                                          causes of replies; the first is a finding, the cause */
    size_t expect_count;
    unsigned lesson; /* its place in the course; 0: none */
};

/*
 * The data directory's scenarios/<name>.txt, else the one built into the program. With out == NULL only
 * the info is filled, for lists; info may be NULL as well.
 */
enum status practice_open(const char *data_dir, const char *name,
                          const struct practice_options *options, struct network **out,
                          struct scenario_info *info, struct error *error) MUST_CHECK;
/* From text, for tests and for files of the user's; `file` is for messages. */
enum status practice_open_text(const char *file, const char *text, size_t len,
                               const struct practice_options *options, struct network **out,
                               struct scenario_info *info, struct error *error) MUST_CHECK;
void scenario_info_free(struct scenario_info *info);
/* Names known, sorted by theme (in the order of practice_theme) and name; NULL-terminated, freed by
   practice_names_free. */
enum status practice_names(const char *data_dir, char ***out, struct error *error) MUST_CHECK;
void practice_names_free(char **names);

#define PRACTICE_LESSON_MAX 99
/* A theme's place among the others, and what people call it, translated. A theme of a user's own
   file comes last and is called as it is. */
size_t practice_theme_rank(const char *theme);
const char *practice_theme_title(const char *theme);

/* Everything that can be practised, in the order of practice_names. A file with a mistake is there
   as well: its title tells the mistake, and it expects nothing. */
struct practice_catalogue {
    struct scenario_info *p;
    size_t count;
};
enum status practice_catalogue_load(const char *data_dir, struct practice_catalogue *out,
                                    struct error *error) MUST_CHECK;
void practice_catalogue_free(struct practice_catalogue *c);
/* The scenario with the smallest lesson number that is at least `from`; NULL: none. */
const struct scenario_info *practice_lesson(const struct practice_catalogue *c, unsigned from);

/* What the scripted servers saw from the client, for tests: one line a command; NULL for another network. */
const struct buf *practice_log(struct network *n);
/* How many bytes of message text any server took. */
uint64_t practice_text_bytes(struct network *n);

#endif
