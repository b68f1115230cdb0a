#include "practice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.h"
#include "escape.h"
#include "nearest.h"
#include "practice_tls.h"
#include "practice_world.h"
#include "text.h"

#define SUFFIX ".txt"
#define NAME_MAX_LEN 64
#define NAMES_MAX 4096
#define PATH_MAX_LEN 4096

extern const struct embedded_file scenario_files[];
extern const size_t scenario_files_count;

/* Letters, digits and hyphens: what names a file in one folder and nothing outside it. */
static bool name_is_good(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= NAME_MAX_LEN && name[0] != '-' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static enum status read_descriptor(int fd, struct buf *out)
{
    char bytes[16384];
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return ST_IO;
        }
        if (n == 0) {
            return ST_OK;
        }
        enum status st = buf_add(out, bytes, (size_t)n);
        if (st != ST_OK) {
            return st;
        }
    }
}

static enum status read_path(const char *path, struct buf *out, struct error *error)
{
    char shown[128];
    struct stat info;
    escape_copy(shown, sizeof(shown), path, strlen(path), 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return error_set(error, ST_IO, errno, _("The scenario file %s cannot be opened: %s."),
                         shown, strerror(errno));
    }
    enum status st =
        fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? read_descriptor(fd, out) : ST_IO;
    int sys = errno;
    close(fd);
    if (st == ST_LIMIT) {
        return error_set(error, ST_LIMIT, 0, _("The scenario file %s is larger than %u bytes."),
                         shown, SCENARIO_FILE_MAX);
    }
    return st == ST_OK
               ? ST_OK
               : error_set(error, st, sys, _("The scenario file %s cannot be read."), shown);
}

/* The file's path in the data directory, or "" when it is not there. */
static void find_path(const char *data_dir, const char *name, char out[PATH_MAX_LEN])
{
    struct buf b;
    out[0] = '\0';
    if (data_dir == NULL) {
        return;
    }
    buf_init(&b, PATH_MAX_LEN - 1);
    if (buf_addf(&b, "%s/scenarios/%s" SUFFIX, data_dir, name) == ST_OK &&
        access(buf_str(&b), F_OK) == 0) {
        str_copy(out, PATH_MAX_LEN, buf_str(&b));
    }
    buf_free(&b);
}

static const struct embedded_file *find_embedded(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < scenario_files_count; i++) {
        const char *file = scenario_files[i].name;
        if (strncmp(file, name, n) == 0 && strcmp(file + n, SUFFIX) == 0) {
            return &scenario_files[i];
        }
    }
    return NULL;
}

static const char *name_at(const void *ctx, size_t i)
{
    return ((char *const *)ctx)[i];
}

/* `shown` is the name as it may be shown. */
static enum status fail_unknown(const char *data_dir, const char *name, const char *shown,
                                struct error *error)
{
    char **names = NULL;
    size_t count = 0, nearest = 0;
    if (error == NULL) {
        return ST_INVALID;
    }
    if (practice_names(data_dir, &names, NULL) == ST_OK) {
        while (names[count] != NULL) {
            count++;
        }
        nearest = nearest_word(name, name_at, names, count);
    }
    if (nearest < count) {
        error_set(error, ST_INVALID, 0,
                  _("There is no scenario called \"%s\"; the nearest one is \"%s\". "
                    "--list-scenarios shows them all."),
                  shown, names[nearest]);
    } else {
        error_set(error, ST_INVALID, 0,
                  _("There is no scenario called \"%s\"; --list-scenarios shows them all."), shown);
    }
    practice_names_free(names);
    return ST_INVALID;
}

static enum status load(const char *data_dir, const char *name, struct scenario **out,
                        struct error *error)
{
    char path[PATH_MAX_LEN];
    char shown[80];
    char file[NAME_MAX_LEN + sizeof(SUFFIX)];
    *out = NULL;
    escape_copy(shown, sizeof(shown), name, strlen(name), 0);
    if (!name_is_good(name)) {
        return error_set(error, ST_INVALID, 0,
                         _("\"%s\" is not the name of a scenario: a name has small letters, digits "
                           "and hyphens."),
                         shown);
    }
    find_path(data_dir, name, path);
    if (path[0] != '\0') {
        struct buf text;
        buf_init(&text, SCENARIO_FILE_MAX);
        enum status st = read_path(path, &text, error);
        if (st == ST_OK) {
            st = scenario_read(path, buf_str(&text), text.len, out, error);
        }
        buf_free(&text);
        return st;
    }
    const struct embedded_file *built_in = find_embedded(name);
    if (built_in == NULL) {
        return fail_unknown(data_dir, name, shown, error);
    }
    str_copy(file, sizeof(file), built_in->name);
    return scenario_read(file, built_in->data, built_in->len, out, error);
}

void scenario_info_free(struct scenario_info *info)
{
    char *texts[] = {info->name, info->title, info->theme,  info->story,
                     info->goal, info->hints, info->target, info->options};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        free(texts[i]);
    }
    for (size_t i = 0; i < info->expect_count; i++) {
        free(info->expect[i]);
    }
    memset(info, 0, sizeof(*info));
}

static enum status fill_info(struct scenario_info *info, const char *name, const struct scenario *s)
{
    const struct {
        char **slot;
        const char *text;
    } texts[] = {{&info->name, name},        {&info->title, s->title},    {&info->theme, s->theme},
                 {&info->story, s->story},   {&info->goal, s->goal},      {&info->hints, s->hints},
                 {&info->target, s->target}, {&info->options, s->options}};
    memset(info, 0, sizeof(*info));
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(texts); i++) {
        st = str_set(texts[i].slot, texts[i].text);
    }
    for (size_t i = 0; st == ST_OK && i < s->expect.count && i < SCENARIO_EXPECT_MAX; i++) {
        st = str_set(&info->expect[i], s->expect.p[i]);
        info->expect_count += st == ST_OK ? 1 : 0;
    }
    info->lesson = (unsigned)s->lesson;
    if (st != ST_OK) {
        scenario_info_free(info);
    }
    return st;
}

static bool make_counts(struct practice *w)
{
    w->counts = calloc(w->s->server_count + 1, sizeof(*w->counts));
    for (size_t i = 0; w->counts != NULL && i < w->s->server_count; i++) {
        w->counts[i] = calloc(w->s->servers[i].rule_count + 1, sizeof(*w->counts[i]));
        if (w->counts[i] == NULL) {
            return false;
        }
    }
    return w->counts != NULL;
}

/* Takes the scenario over, also when it fails. */
static enum status world_new(struct scenario *s, const struct practice_options *options,
                             struct network **out, struct error *error)
{
    struct practice *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        scenario_free(s);
        return error_set(error, ST_NOMEM, 0, _("There is no memory left."));
    }
    uint64_t seed = options->seed != 0 ? options->seed : s->seed;
    w->net.ops = &practice_ops;
    w->net.demo = true;
    w->s = s;
    w->pace = options->pace;
    w->now_us = WORLD_START_US;
    w->wall_start_us = options->wall_us != 0 ? options->wall_us : s->clock_us;
    /* Two streams: what servers make up does not depend on how often the client rolls its dice. */
    practice_random_seed(&w->client_random, seed);
    practice_random_seed(&w->server_random, ~seed);
    w->next_port = 49152;
    buf_init(&w->log, WORLD_LOG_MAX);
    enum status st = make_counts(w) ? practice_tls_new(w->wall_start_us, &w->tls, error)
                                    : error_set(error, ST_NOMEM, 0, _("There is no memory left."));
    if (st != ST_OK) {
        net_network_close(&w->net);
        return st;
    }
    w->net.ca_pem = practice_tls_root(w->tls);
    *out = &w->net;
    return ST_OK;
}

static enum status open_scenario(struct scenario *s, const char *name,
                                 const struct practice_options *options, struct network **out,
                                 struct scenario_info *info, struct error *error)
{
    if (info != NULL && fill_info(info, name, s) != ST_OK) {
        scenario_free(s);
        return error_set(error, ST_NOMEM, 0, _("There is no memory left."));
    }
    if (out == NULL) {
        scenario_free(s);
        return ST_OK;
    }
    enum status st = world_new(s, options, out, error);
    if (st != ST_OK && info != NULL) {
        scenario_info_free(info);
    }
    return st;
}

enum status practice_open(const char *data_dir, const char *name,
                          const struct practice_options *options, struct network **out,
                          struct scenario_info *info, struct error *error)
{
    struct scenario *s = NULL;
    if (out != NULL) {
        *out = NULL;
    }
    enum status st = load(data_dir, name, &s, error);
    return st == ST_OK ? open_scenario(s, name, options, out, info, error) : st;
}

/* "/a/b/slow.txt" is called "slow". */
static void name_of_file(const char *file, char *out, size_t size)
{
    const char *slash = strrchr(file, '/');
    str_copy(out, size, slash != NULL ? slash + 1 : file);
    size_t n = strlen(out);
    if (n > strlen(SUFFIX) && strcmp(out + n - strlen(SUFFIX), SUFFIX) == 0) {
        out[n - strlen(SUFFIX)] = '\0';
    }
}

enum status practice_open_text(const char *file, const char *text, size_t len,
                               const struct practice_options *options, struct network **out,
                               struct scenario_info *info, struct error *error)
{
    struct scenario *s = NULL;
    char name[NAME_MAX_LEN + sizeof(SUFFIX)];
    if (out != NULL) {
        *out = NULL;
    }
    name_of_file(file, name, sizeof(name));
    enum status st = scenario_read(file, text, len, &s, error);
    return st == ST_OK ? open_scenario(s, name, options, out, info, error) : st;
}

struct name_entry {
    char name[NAME_MAX_LEN + 1];
    char theme[SCENARIO_NAME_MAX + 1];
};

struct name_list {
    struct name_entry *p;
    size_t count;
};

/* Adds the name of a file, once; other files are left out. */
static enum status add_name(struct name_list *list, const char *data_dir, const char *file)
{
    char name[NAME_MAX_LEN + sizeof(SUFFIX)];
    struct scenario *s = NULL;
    size_t n = strlen(file);
    if (n <= strlen(SUFFIX) || strcmp(file + n - strlen(SUFFIX), SUFFIX) != 0) {
        return ST_OK;
    }
    name_of_file(file, name, sizeof(name));
    if (!name_is_good(name)) {
        return ST_OK;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->p[i].name, name) == 0) {
            return ST_OK;
        }
    }
    if (list->count >= NAMES_MAX) {
        return ST_LIMIT;
    }
    struct name_entry *grown = realloc(list->p, (list->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    list->p = grown;
    struct name_entry *e = &grown[list->count++];
    str_copy(e->name, sizeof(e->name), name);
    /* A file with a mistake is listed all the same: opening it says what the mistake is. */
    bool good = load(data_dir, name, &s, NULL) == ST_OK;
    str_copy(e->theme, sizeof(e->theme), good ? s->theme : "other");
    scenario_free(s);
    return ST_OK;
}

static enum status add_folder(struct name_list *list, const char *data_dir)
{
    struct buf path;
    enum status st = ST_OK;
    if (data_dir == NULL) {
        return ST_OK;
    }
    buf_init(&path, PATH_MAX_LEN);
    DIR *dir = buf_addf(&path, "%s/scenarios", data_dir) == ST_OK ? opendir(buf_str(&path)) : NULL;
    buf_free(&path);
    if (dir == NULL) {
        return ST_OK; /* the ones that are built in are always there */
    }
    const struct dirent *entry;
    while (st == ST_OK && (entry = readdir(dir)) != NULL) {
        st = add_name(list, data_dir, entry->d_name);
    }
    closedir(dir);
    return st;
}

static int compare_names(const void *a, const void *b)
{
    const struct name_entry *x = a;
    const struct name_entry *y = b;
    size_t x_rank = practice_theme_rank(x->theme), y_rank = practice_theme_rank(y->theme);
    int by_theme = x_rank != y_rank ? (x_rank < y_rank ? -1 : 1) : strcmp(x->theme, y->theme);
    return by_theme != 0 ? by_theme : strcmp(x->name, y->name);
}

enum status practice_names(const char *data_dir, char ***out, struct error *error)
{
    struct name_list list = {NULL, 0};
    *out = NULL;
    enum status st = add_folder(&list, data_dir);
    for (size_t i = 0; st == ST_OK && i < scenario_files_count; i++) {
        st = add_name(&list, data_dir, scenario_files[i].name);
    }
    char **names = st == ST_OK ? calloc(list.count + 1, sizeof(*names)) : NULL;
    if (names != NULL && list.count > 0) {
        qsort(list.p, list.count, sizeof(*list.p), compare_names);
    }
    for (size_t i = 0; names != NULL && i < list.count; i++) {
        names[i] = str_dup(list.p[i].name);
        if (names[i] == NULL) {
            practice_names_free(names);
            names = NULL;
        }
    }
    free(list.p);
    if (names == NULL) {
        return st == ST_LIMIT ? error_set(error, st, 0, _("There are too many scenario files."))
                              : error_set(error, ST_NOMEM, 0, _("There is no memory left."));
    }
    *out = names;
    return ST_OK;
}

void practice_names_free(char **names)
{
    for (char **p = names; p != NULL && *p != NULL; p++) {
        free(*p);
    }
    free(names);
}

const struct buf *practice_log(struct network *n)
{
    return n->ops == &practice_ops ? &((struct practice *)n)->log : NULL;
}

uint64_t practice_text_bytes(struct network *n)
{
    return n->ops == &practice_ops ? ((struct practice *)n)->text_bytes : 0;
}
