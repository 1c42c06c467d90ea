/* SPDX-License-Identifier: MIT */
/*
 * Names for return addresses.
 *
 * The loader knows exported names only; those of static functions, and all of a program that was
 * not linked with -rdynamic, stand in the symbol table of its file, if it was not stripped. So
 * that is mapped and searched when the loader gives no name. Debug information is left to
 * debuggers.
 *
 * A lean table asks nothing that takes a lock or memory: it serves signal handlers, and gives
 * file and offset only, for addr2line.
 */
#include "debug/symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void
fern__symbols_init(struct fern__symbols *s, bool lean)
{
    memset(s, 0, sizeof *s);
    s->lean = lean;
}

void
fern__symbols_fini(struct fern__symbols *s)
{
    for (size_t i = 0; i < s->file_count; i++) {
        if (s->files[i].map)
            munmap(s->files[i].map, s->files[i].bytes);
    }
}

static const char *
last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- symbol tables in files ---- */

static void
map_file(struct fern__symbol_file *file, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    struct stat st;
    if (fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(ElfW(Ehdr))) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            file->map = map;
            file->bytes = (size_t)st.st_size;
        }
    }
    close(fd);
}

static struct fern__symbol_file *
file_of(struct fern__symbols *s, const struct link_map *library)
{
    for (size_t i = 0; i < s->file_count; i++) {
        if (s->files[i].key == library)
            return &s->files[i];
    }
    if (s->file_count == FERN__SYMBOL_FILES)
        return NULL;
    struct fern__symbol_file *file = &s->files[s->file_count++];
    *file = (struct fern__symbol_file){.key = library};
    map_file(file, *library->l_name ? library->l_name : "/proc/self/exe");
    return file;
}

/* A part of the file, or NULL if the file does not have it. */
static const void *
part(const struct fern__symbol_file *file, uint64_t offset, uint64_t bytes)
{
    if (offset > file->bytes || bytes > file->bytes - offset || offset % 8)
        return NULL;
    return (const char *)file->map + offset;
}

static const ElfW(Shdr) * sections(const struct fern__symbol_file *file, size_t *ret_count)
{
    const ElfW(Ehdr) *head = part(file, 0, sizeof *head);
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
            head->e_shentsize != sizeof(ElfW(Shdr)))
        return NULL;
    *ret_count = head->e_shnum;
    return part(file, head->e_shoff, head->e_shnum * sizeof(ElfW(Shdr)));
}

static const ElfW(Sym) * search_table(const struct fern__symbol_file *file,
                                 const ElfW(Shdr) * table, uintptr_t at)
{
    size_t n = table->sh_size / sizeof(ElfW(Sym));
    const ElfW(Sym) *symbols = part(file, table->sh_offset, n * sizeof *symbols);
    for (size_t i = 0; symbols && i < n; i++) {
        if ((symbols[i].st_info & 15) == STT_FUNC && at >= symbols[i].st_value &&
                at - symbols[i].st_value < symbols[i].st_size)
            return &symbols[i];
    }
    return NULL;
}

/* Search the file's symbol table for the function that holds an address. */
static void
search_file(const struct fern__symbol_file *file, uintptr_t at, struct fern__symbol *symbol)
{
    size_t count = 0;
    const ElfW(Shdr) *section = file->map ? sections(file, &count) : NULL;
    for (size_t i = 0; section && i < count; i++) {
        if (section[i].sh_type != SHT_SYMTAB || section[i].sh_link >= count)
            continue;
        const ElfW(Shdr) *names = &section[section[i].sh_link];
        const ElfW(Sym) *found = search_table(file, &section[i], at);
        if (!found || found->st_name >= names->sh_size ||
                names->sh_offset + names->sh_size > file->bytes)
            continue;
        symbol->name = (const char *)file->map + names->sh_offset + found->st_name;
        symbol->offset = at - found->st_value + 1;
        return;
    }
}

/* ---- one address ---- */

/* Whether it lies in the file that fern itself lies in. */
static bool
with_fern(const struct link_map *library)
{
    Dl_info info;
    struct link_map *own = NULL;
    void *here = (void *)(uintptr_t)fern__symbol_find;
    return dladdr1(here, &info, (void **)&own, RTLD_DL_LINKMAP) && own == library;
}

static bool
is_ours(const struct fern__symbol *symbol, const struct link_map *library)
{
    if (symbol->name)
        return strncmp(symbol->name, "fern__", 6) == 0;
    return *library->l_name && with_fern(library);
}

static void
look_up(struct fern__symbols *s, struct fern__symbol *symbol)
{
    /* The call may be the last instruction of its function: look just before it returns to. */
    const char *pc = (const char *)symbol->pc - 1;
    Dl_info info;
    struct link_map *library = NULL;
    if (!dladdr1(pc, &info, (void **)&library, RTLD_DL_LINKMAP) || !library)
        return;
    symbol->file = last_part(*library->l_name ? library->l_name : info.dli_fname);
    symbol->offset = (uintptr_t)symbol->pc - library->l_addr;
    if (info.dli_sname && info.dli_saddr) {
        symbol->name = info.dli_sname;
        symbol->offset = (uintptr_t)symbol->pc - (uintptr_t)info.dli_saddr;
    } else {
        struct fern__symbol_file *file = file_of(s, library);
        if (file)
            search_file(file, (uintptr_t)pc - library->l_addr, symbol);
    }
    symbol->ours = is_ours(symbol, library);
}

/* Without lock and memory; needs glibc 2.35. */
static void
look_up_lean(struct fern__symbol *symbol)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
    struct dl_find_object object;
    if (_dl_find_object((void *)(uintptr_t)symbol->pc, &object) != 0)
        return;
    const char *path = object.dlfo_link_map->l_name;
    symbol->file = *path ? last_part(path) : program_invocation_short_name;
    symbol->offset = (uintptr_t)symbol->pc - object.dlfo_link_map->l_addr;
#else
    (void)symbol;
#endif
}

const struct fern__symbol *
fern__symbol_find(struct fern__symbols *s, const void *pc)
{
    struct fern__symbol *symbol = &s->cache[(uintptr_t)pc / 4 % FERN__SYMBOL_CACHE];
    if (symbol->pc == pc)
        return symbol;
    *symbol = (struct fern__symbol){.pc = pc};
    if (s->lean)
        look_up_lean(symbol);
    else
        look_up(s, symbol);
    return symbol;
}

int
fern__symbol_write(const struct fern__symbol *symbol, char *text, size_t bytes)
{
    if (symbol->name)
        return snprintf(text, bytes, "%s+0x%llx (%s)", symbol->name,
                (unsigned long long)symbol->offset, symbol->file);
    if (symbol->file)
        return snprintf(
                text, bytes, "%s+0x%llx", symbol->file, (unsigned long long)symbol->offset);
    return snprintf(text, bytes, "%p", symbol->pc);
}
