import vue from '@vitejs/plugin-vue';

const compilerOptions = { isCustomElement: (tag) => tag.startsWith('mqtt-') };

export default { plugins: [vue({ template: { compilerOptions } })] };
