/* The playbooks that there are: built in, and in the data directory. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "playbook_file.h"
#include "text.h"
#include "textfile.h"

#define SUFFIX ".txt"
#define PATH_LENGTH_MAX 4096

extern const struct embedded_file playbook_files[];
extern const size_t playbook_files_count;

struct playbooks {
    struct playbook *books[PLAYBOOKS_MAX];
    size_t count;
};

struct loader {
    struct playbooks *books;
    const char *data_dir;
    const struct playbook_known *known;
    /* Folders of languages, the best first: "es_MX", "es", "en". */
    char folders[3][32];
    size_t folder_count;
    struct error *error;
};

size_t playbooks_count(const struct playbooks *books)
{
    return books->count;
}

const struct playbook *playbooks_at(const struct playbooks *books, size_t i)
{
    return i < books->count ? books->books[i] : NULL;
}

const struct playbook *playbooks_find(const struct playbooks *books, const char *name)
{
    for (size_t i = 0; i < books->count; i++) {
        if (strcmp(books->books[i]->name, name) == 0) {
            return books->books[i];
        }
    }
    return NULL;
}

void playbooks_free(struct playbooks *books)
{
    for (size_t i = 0; books != NULL && i < books->count; i++) {
        playbook_free(books->books[i]);
    }
    free(books);
}

/* The name behind a file name; false for files that are no playbooks. */
static bool name_of(const char *file, char out[PLAYBOOK_NAME_MAX])
{
    size_t len = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (len == 0 || len >= PLAYBOOK_NAME_MAX || strcmp(file + len, SUFFIX) != 0) {
        return false;
    }
    memcpy(out, file, len);
    out[len] = '\0';
    return true;
}

static enum status add(struct loader *l, const char *name, const char *file, const char *p,
                       size_t len)
{
    if (l->books->count == PLAYBOOKS_MAX) {
        return error_set(l->error, ST_INVALID, 0, _("%s: there are more than %d playbooks"), file,
                         PLAYBOOKS_MAX);
    }
    struct playbook *book = NULL;
    enum status st = playbook_parse(&book, name, file, p, len, l->known, l->error);
    if (st == ST_OK) {
        l->books->books[l->books->count++] = book;
    }
    return st;
}

/* From the first folder that has it; where none has, nothing is added. */
static enum status add_file(struct loader *l, const char *name)
{
    enum status st = ST_OK;
    bool there = false;
    struct buf path, text;
    buf_init(&path, PATH_LENGTH_MAX);
    buf_init(&text, PLAYBOOK_FILE_MAX);
    for (size_t i = 0; i < l->folder_count && !there && st == ST_OK; i++) {
        buf_clear(&path);
        st = buf_addf(&path, "%s/playbooks/%s/%s" SUFFIX, l->data_dir, l->folders[i], name);
        if (st != ST_OK) {
            st = error_set(l->error, st, 0, "%s", _("The path of the playbooks is too long."));
            break;
        }
        st = textfile_read(path.p, &text, &there, l->error);
        if (st == ST_OK && there) {
            st = add(l, name, path.p, buf_str(&text), text.len);
        }
    }
    buf_free(&path);
    buf_free(&text);
    return st;
}

/* Playbooks that only the data directory has. */
static enum status add_folder(struct loader *l, const char *folder)
{
    enum status st = ST_OK;
    struct buf path;
    buf_init(&path, PATH_LENGTH_MAX);
    if (buf_addf(&path, "%s/playbooks/%s", l->data_dir, folder) != ST_OK) {
        buf_free(&path);
        return ST_OK;
    }
    DIR *dir = opendir(path.p);
    const struct dirent *e;
    while (dir != NULL && st == ST_OK && (e = readdir(dir)) != NULL) {
        char name[PLAYBOOK_NAME_MAX];
        if (name_of(e->d_name, name) && playbooks_find(l->books, name) == NULL) {
            st = add_file(l, name);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    buf_free(&path);
    return st;
}

/* A name from the environment must not lead out of the folder. */
static void add_language(struct loader *l, const char *lang, size_t len)
{
    char *folder = l->folders[l->folder_count];
    if (len == 0 || len >= sizeof(l->folders[0]) || memchr(lang, '/', len) != NULL ||
        memchr(lang, '.', len) != NULL) {
        return;
    }
    memcpy(folder, lang, len);
    folder[len] = '\0';
    for (size_t i = 0; i < l->folder_count; i++) {
        if (strcmp(l->folders[i], folder) == 0) {
            return;
        }
    }
    l->folder_count++;
}

static int compare(const void *a, const void *b)
{
    const struct playbook *left = *(struct playbook *const *)a;
    const struct playbook *right = *(struct playbook *const *)b;
    if (left->order != right->order) {
        return left->order < right->order ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static enum status load(struct loader *l)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < playbook_files_count && st == ST_OK; i++) {
        const struct embedded_file *file = &playbook_files[i];
        char name[PLAYBOOK_NAME_MAX];
        size_t before = l->books->count;
        if (!name_of(file->name, name)) {
            continue;
        }
        st = l->data_dir != NULL ? add_file(l, name) : ST_OK;
        if (st == ST_OK && l->books->count == before) {
            st = add(l, name, file->name, file->data, file->len);
        }
    }
    for (size_t i = 0; i < l->folder_count && l->data_dir != NULL && st == ST_OK; i++) {
        st = add_folder(l, l->folders[i]);
    }
    return st;
}

enum status playbooks_load(struct playbooks **out, const char *data_dir, const char *lang,
                           const struct playbook_known *known, struct error *error)
{
    *out = NULL;
    struct loader l = {.data_dir = data_dir, .known = known, .error = error};
    l.books = calloc(1, sizeof(*l.books));
    if (l.books == NULL) {
        return error_set(error, ST_NOMEM, 0, "%s", _("Not enough memory for the playbooks."));
    }
    if (lang != NULL) {
        add_language(&l, lang, strcspn(lang, ".@"));
        add_language(&l, lang, strcspn(lang, "_.@"));
    }
    add_language(&l, "en", 2);
    enum status st = load(&l);
    if (st != ST_OK) {
        playbooks_free(l.books);
        return st;
    }
    qsort(l.books->books, l.books->count, sizeof(l.books->books[0]), compare);
    *out = l.books;
    return ST_OK;
}
