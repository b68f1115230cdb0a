#include "terminfo.h"

#include <curses.h>
#include <stddef.h>
#include <term.h>

bool terminfo_load(int fd)
{
    int found = 0;
    return setupterm(NULL, fd, &found) != ERR && found == 1;
}

void terminfo_forget(void)
{
    if (cur_term != NULL) {
        del_curterm(cur_term);
    }
}

void terminfo_keep_palette(void)
{
    orig_colors = NULL;
}
