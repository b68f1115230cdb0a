#include "complete_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "macro.h"

static bool is_printable(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool fits(const struct dirent *entry, const char *begin)
{
    const char *name = entry->d_name;
    bool hidden = name[0] == '.' && begin[0] != '.';
    bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return !hidden && !dots && is_printable(name) && strncmp(name, begin, strlen(begin)) == 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void add(const char *line, size_t keep, const char *folder, const char *name,
                struct typehint_candidates *out)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    bool is_folder =
        n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    char *text = out->text[out->count];
    n = snprintf(text, sizeof(out->text[0]), "%.*s%s%s", (int)keep, line, name,
                 is_folder ? "/" : "");
    if (n > 0 && (size_t)n < sizeof(out->text[0])) {
        out->note[out->count++][0] = '\0';
    }
}

void complete_file(const char *line, struct typehint_candidates *out)
{
    const char *word = "";
    char folder[4096] = ".";
    enum macro_id id = macro_find(line, &word);
    if (id == MACRO_NONE || macros[id].kind != MACRO_FILE || word == line + strlen(line) + 1 ||
        strchr(line, ' ') == NULL) {
        return;
    }
    const char *slash = strrchr(word, '/');
    const char *begin = slash != NULL ? slash + 1 : word;
    size_t len = slash != NULL ? (size_t)(slash - word) : 0;
    if (slash != NULL && len < sizeof(folder)) {
        memcpy(folder, len > 0 ? word : "/", len > 0 ? len : 1);
        folder[len > 0 ? len : 1] = '\0';
    }
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return;
    }
    size_t first = out->count;
    out->keep = (size_t)(begin - line);
    for (struct dirent *e; out->count < TYPEHINT_CANDIDATES_MAX && (e = readdir(dir)) != NULL;) {
        if (fits(e, begin)) {
            add(line, out->keep, folder, e->d_name, out);
        }
    }
    closedir(dir);
    /* All notes are empty, so that the lines alone can be sorted. */
    qsort(out->text[first], out->count - first, sizeof(out->text[0]), by_text);
}
