// The commands that messages name, `up`, `worker` and `doctor`: those of the Makefile, or of an installed package.
export const commands = document.documentElement.dataset;
