/* The files that settings and taxonomy name by keys: certificates, secrets, schemas. A relative path
 * begins at the folder of the file that is run or checked, whatever the working directory is. */
#ifndef SC_CLI_FILES_H
#define SC_CLI_FILES_H

#include "cli/project.h"

/* Paths of `file->settings` made whole; in `ar`. */
void sc_files_place(const struct sc_project_file *file, struct sc_arena *ar);

/* They are there, can be read and are of a size that makes sense, schemas of the taxonomy's sources
 * too; findings to `dg`. None is read: a secret may come through a pipe. `absent`: how grave it is
 * that a file of the settings is not there. Secrets are where it runs, not where it is checked. */
void sc_files_check(const struct sc_project_file *file, enum sc_severity absent,
                    struct sc_arena *ar, struct sc_diag *dg);

#endif
