/* replies_compile RULES OUT.c: run by the build. Exit code 1 with a sentence when the rules are wrong. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replies_book.h"

static enum status read_file(const char *path, struct buf *out, struct error *error)
{
    char piece[16384];
    size_t n;
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        return error_set(error, ST_IO, errno, "%s cannot be read: %s", path, strerror(errno));
    }
    enum status st = ST_OK;
    while (st == ST_OK && (n = fread(piece, 1, sizeof(piece), in)) > 0) {
        st = buf_add(out, piece, n);
    }
    if (st == ST_OK && ferror(in) != 0) {
        st = ST_IO;
    }
    fclose(in);
    return st == ST_OK ? st : error_set(error, st, 0, "%s cannot be read, or is too big", path);
}

static enum status write_file(const struct book *b, const char *path, struct error *error)
{
    FILE *out = fopen(path, "w");
    bool ok = out != NULL && book_write(b, out);
    ok = out != NULL && fclose(out) == 0 && ok;
    return ok ? ST_OK
              : error_set(error, ST_IO, errno, "%s cannot be written: %s", path, strerror(errno));
}

int main(int argc, char **argv)
{
    struct buf text;
    struct book book;
    struct error error = {.text = ""};
    if (argc != 3) {
        fprintf(stderr, "usage: replies_compile RULES OUT.c\n");
        return 1;
    }
    memset(&book, 0, sizeof(book));
    buf_init(&text, BOOK_FILE_MAX);
    const char *slash = strrchr(argv[1], '/');
    enum status st = read_file(argv[1], &text, &error);
    if (st == ST_OK) {
        st = book_read(&book, slash != NULL ? slash + 1 : argv[1], buf_str(&text), text.len, &error);
    }
    if (st == ST_OK) {
        st = book_check(&book, &error);
    }
    if (st == ST_OK) {
        st = write_file(&book, argv[2], &error);
    }
    if (st != ST_OK) {
        fprintf(stderr, "%s\n", error.text);
        remove(argv[2]);
    }
    book_free(&book);
    buf_free(&text);
    return st == ST_OK ? 0 : 1;
}
